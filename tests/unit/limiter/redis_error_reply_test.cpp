#include "limiter/redis/error_reply.hpp"

#include <doctest/doctest.h>

#include <string>

namespace penstock::limiter::redis {

TEST_CASE("every error that Redis was seen to answer has its meaning")
{
    struct row {
        std::string_view error;
        errc means;
    };
    for (auto const& row : {
             row{"LOADING Redis is loading the dataset in memory", errc::loading},
             row{"READONLY You can't write against a read only replica.", errc::read_only},
             row{"READONLY You can't write against a read only replica. script: 0123, on @user_script:7.", errc::read_only},
             row{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", errc::read_only},
             row{"NOREPLICAS Not enough good replicas to write.", errc::no_writes},
             row{"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
                 errc::no_writes},
             row{"CLUSTERDOWN Hash slot not served", errc::cluster},
             row{"CLUSTERDOWN The cluster is down", errc::cluster},
             row{"MOVED 3999 127.0.0.1:6381", errc::cluster},
             row{"ASK 3999 127.0.0.1:6381", errc::cluster},
             row{"TRYAGAIN Multiple keys request during rehashing of slot", errc::cluster},
             row{"CROSSSLOT Keys in request don't hash to the same slot", errc::cluster},
             row{"OOM command not allowed when used memory > 'maxmemory'.", errc::out_of_memory},
             row{"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", errc::busy},
             row{"NOAUTH Authentication required.", errc::refused_login},
             row{"WRONGPASS invalid username-password pair or user is disabled.", errc::refused_login},
             row{"NOPERM this user has no permissions to run the 'evalsha' command", errc::refused_login},
             row{"ERR AUTH <password> called without any password configured for the default user.", errc::refused_login},
             row{"ERR max number of clients reached", errc::too_many_clients},
             row{"ERR max number of clients + cluster connections reached", errc::too_many_clients},
             row{"ERR The user executing the script can't run this command or subcommand script: 0123, on @user_script:44.",
                 errc::refused_login},
             row{"ERR The user executing the script can't access at least one of the keys mentioned in the command arguments "
                 "script: 0123, on @user_script:44.",
                 errc::refused_login},
             row{"ERR ACL failure in script: User penstock has no permissions to run the 'set' command script: 0123, on "
                 "@user_script:44.",
                 errc::refused_login},
             row{"NOSCRIPT No matching script. Please use EVAL.", errc::script},
             row{"WRONGTYPE Operation against a key holding the wrong kind of value", errc::script},
             row{"ERR Script attempted to access a non local key in a cluster node", errc::script},
             row{"ERR unknown command 'EVALSHA'", errc::script},
             row{"MOVEDX is not MOVED", errc::script},
             row{"", errc::script},
         }) {
        CAPTURE(row.error);
        CHECK(errc_of(row.error) == row.means);
    }
    CHECK(is_noscript({reply::type::error, "NOSCRIPT No matching script. Please use EVAL.", 45}));
    CHECK_FALSE(is_noscript({reply::type::bulk, "NOSCRIPT No matching script. Please use EVAL.", 45}));
    CHECK_FALSE(is_noscript({reply::type::error, "ERR no", 6}));
}

TEST_CASE("an error that a script raised has the same meaning in the wrapping of Redis before 7")
{
    struct row {
        std::string raised;
        errc means;
    };
    for (
        auto const& row : {
            row{"@user_script: 44: -READONLY You can't write against a read only replica.", errc::read_only},
            row{"@user_script: 44: -OOM command not allowed when used memory > 'maxmemory'.", errc::out_of_memory},
            row{"@user_script: 44: -MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist: x.",
                errc::no_writes},
            row{"@user_script: 44: -NOREPLICAS Not enough good replicas to write.", errc::no_writes},
            row{"OOM command not allowed when used memory > 'maxmemory'.", errc::out_of_memory},
            row{"@user_script: 44: The user executing the script can't run this command or subcommand", errc::refused_login},
            row{"@user_script: 44: The user executing the script can't access at least one of the keys mentioned in the command "
                "arguments",
                errc::refused_login},
            row{"@user_script: 44: Script attempted to access a non local key in a cluster node", errc::script},
            row{"WRONGTYPE Operation against a key holding the wrong kind of value", errc::script},
            row{"attempt to index a nil value: -OOM", errc::script},
            row{"@user_script:", errc::script},
            row{"", errc::script},
        }) {
        CAPTURE(row.raised);
        auto const head = std::string("ERR Error running script (call to f_6b818461879b7ea953a81ab9ad7aaeca1590b7ab): ");
        CHECK(errc_of(head + "@user_script:44: " + row.raised) == row.means);
    }
    CHECK(errc_of("@user_script: 44: The user executing the script can't run this command or subcommand") ==
          errc::refused_login);
    CHECK(errc_of("-OOM is no word") == errc::script);
    CHECK(errc_of("ERR Error running script (call to ") == errc::script);
    CHECK(errc_of("The user executing the script can't: said by nobody") == errc::script);
    CHECK(errc_of("ERR") == errc::script);
}

TEST_CASE("what is shown of an error has nothing of what Redis was sent, one printable line of it, and the reason")
{
    struct row {
        std::string error;
        std::string_view is_shown;
    };
    for (auto const& row : {
             row{"ERR unknown command 'AUTH', with args beginning with: 'penstock' 'TopSecret'",
                 "ERR unknown command 'AUTH'..."},
             row{"ERR unknown command `AUTH`, with args beginning with: `penstock`, `TopSecret`, ",
                 "ERR unknown command `AUTH`..."},
             row{"ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'TopSecret'", "ERR unknown command..."},
             row{"ERR unknown command AUTH, with args beginning with: TopSecret", "ERR unknown command AUTH..."},
             row{"ERR unknown command AUTH with args beginning with: TopSecret", "ERR unknown command AUTH..."},
             row{"ERR unknown command 'EVALSHA', with args beginning with: '0123' '1' 'rl:{caller\xFE\x1B}:a:tb' ",
                 "ERR unknown command 'EVALSHA'..."},
             row{"ERR unknown subcommand 'Top'Secret'. Try CLUSTER HELP.", "ERR unknown subcommand..."},
             row{"ERR unknown subcommand \"TopSecret\".", "ERR unknown subcommand..."},
             row{"ERR bad 'TopSecret", "ERR bad..."},
             row{"'TopSecret'", "..."},
             row{"NOPERM this user has no permissions to run the 'evalsha' command",
                 "NOPERM this user has no permissions to run the 'evalsha' command"},
             row{"NOPERM User gate has no permissions to access the 'rl:{caller}:a' key",
                 "NOPERM User gate has no permissions to access the..."},
             row{"READONLY You can't write against a read only replica.",
                 "READONLY You can't write against a read only replica."},
             row{"OOM command not allowed when used memory > 'maxmemory'.",
                 "OOM command not allowed when used memory > 'maxmemory'."},
             row{"ERR The user executing the script can't run this command or subcommand script: 0123, on @user_script:44.",
                 "ERR The user executing the script can't run this command or subcommand script: 0123, on @user_script:44."},
             row{"MOVED 3999 127.0.0.1:6381", "MOVED 3999 127.0.0.1:6381"},
             row{"ERR a\x1B[31mb\xC3\xA9\r\nc\x7F", "ERR a?[31mb????c?"},
             row{"", ""},
         }) {
        CAPTURE(row.error);
        CHECK(shown(row.error) == row.is_shown);
    }
    CHECK(shown(std::string(1000, 'x')) == std::string(200, 'x') + "...");
}

} // namespace penstock::limiter::redis
