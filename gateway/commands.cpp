#include "gateway/commands.hpp"

#include "conf/load.hpp"
#include "gateway/app.hpp"
#include "gateway/demo.hpp"
#include "gateway/healthcheck.hpp"
#include "gateway/version.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iostream>

namespace penstock::gateway {
namespace {

// Lines for the operator on stderr, written by a thread of their own: a stalled stderr stops nobody.
void set_up_log()
{
    spdlog::init_thread_pool(1024, 1);
    auto const sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto const logger = std::make_shared<spdlog::async_logger>("penstock", sink, spdlog::thread_pool(),
                                                               spdlog::async_overflow_policy::overrun_oldest);
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(logger);
}

void print(std::vector<conf::problem> const& problems)
{
    for (auto const& each : problems) std::cerr << each.to_string() << "\n";
}

exit_status check(std::string const& file)
{
    auto const loaded = conf::load_file(file, conf::process_environment);
    print(loaded.problems);
    if (!loaded.snapshot) return exit_status::refused;
    std::cout << file << ": valid\n";
    return exit_status::done;
}

exit_status run(std::string const& file)
{
    auto const load = [file] { return conf::load_file(file, conf::process_environment); };
    auto const loaded = load();
    print(loaded.problems);
    if (!loaded.snapshot) return exit_status::refused;
    set_up_log();
    auto const status = app(loaded.snapshot, load).run([] {});
    spdlog::shutdown();
    return status;
}

exit_status demo(std::string const& listen, std::string const& admin)
{
    set_up_log();
    auto const status = run_demo(listen, admin);
    spdlog::shutdown();
    return status;
}

} // namespace

exit_status run_command_line(int argc, char const* const* argv)
{
    CLI::App line{"Penstock: an HTTP gateway that enforces rate limits, exactly, across a fleet."};
    line.require_subcommand(1);
    auto status = exit_status::done;

    std::string file;
    auto* const run_line = line.add_subcommand("run", "serve until SIGTERM or SIGINT; SIGHUP reloads");
    run_line->add_option("--config", file, "configuration file (YAML)")->required();
    run_line->callback([&] { status = run(file); });

    std::string listen = "0.0.0.0:8080";
    std::string admin_address = "127.0.0.1:9901";
    auto* const demo_line = line.add_subcommand("demo", "serve on :8080 with an embedded app and limits in memory");
    demo_line->add_option("--listen", listen, "address of the gateway")->capture_default_str();
    demo_line->add_option("--admin", admin_address, "address of the admin interface")->capture_default_str();
    demo_line->callback([&] { status = demo(listen, admin_address); });

    auto* const check_line = line.add_subcommand("check", "report every problem of a configuration");
    check_line->add_option("--config", file, "configuration file (YAML)")->required();
    check_line->callback([&] { status = check(file); });

    auto* const health_line = line.add_subcommand("healthcheck", "exit 0 if the gateway is ready, else 1");
    health_line->add_option("--admin", admin_address, "address of the admin interface")->capture_default_str();
    health_line->callback([&] { status = check_health(admin_address); });

    auto* const version_line = line.add_subcommand("version", "print version, libraries and build");
    version_line->callback([] { std::cout << describe_build(); });

    try {
        line.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        return line.exit(error) == 0 ? exit_status::done : exit_status::usage;
    }
    return status;
}

} // namespace penstock::gateway
