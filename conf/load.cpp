#include "conf/load.hpp"

#include "conf/attachments.hpp"
#include "conf/bounded_file.hpp"
#include "conf/calendars.hpp"
#include "conf/check.hpp"
#include "conf/check_shape.hpp"
#include "conf/compile.hpp"
#include "conf/conceal.hpp"
#include "conf/read_settings.hpp"
#include "conf/read_tokens.hpp"

#include <cstdlib>
#include <filesystem>

namespace penstock::conf {

namespace {

snapshot_ptr load_into(problem_list& problems, std::string const& text, std::string const& folder, environment const& env)
{
    auto root = parse_document(text, problems);
    if (!root) return nullptr;
    conceal_values(*root);
    expand_environment(*root, env, problems);
    if (!check_shape(*root, problems)) return nullptr;
    auto const files = read_attachments(*root, folder, problems);
    auto read = read_settings(*root, files);
    read.tokens = read_tokens(*root, folder, problems);
    auto parts = read_outline(*root, read, read_calendars(*root, time_zone_folder, problems));
    checked const all{*root, read, parts};
    check_settings(all, problems);
    check_client(all, problems);
    check_redis(all, problems);
    check_limits(all, problems);
    check_options(all, problems);
    check_tiers(all, problems);
    check_api_keys(all, problems);
    check_denials(all, problems);
    check_tokens(all, problems);
    check_transport(all, problems);
    check_routes(all, problems);
    check_coverage(all, problems);
    check_attempts(all, problems);
    if (problems.has_error()) return nullptr;
    return compile(*root, std::move(parts), std::move(read), files);
}

} // namespace

std::optional<std::string> process_environment(std::string const& name)
{
    auto const* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

loaded load_file(std::string const& path, environment const& env)
{
    auto const text = read_bounded(path, most_document_bytes);
    if (!text) {
        problem_list problems{path};
        problems.error_of_file("cannot be read (" + text.error().message() + "); give a readable file of at most 1 MiB");
        return {nullptr, std::move(problems).take_sorted()};
    }
    return load_text(*text, path, std::filesystem::path{path}.parent_path().string(), env);
}

loaded load_text(std::string const& text, std::string const& name, std::string const& folder, environment const& env)
{
    problem_list problems{name};
    auto snapshot = load_into(problems, text, folder, env);
    auto found = std::move(problems).take_sorted();
    for (auto& each : found) each.key = shown_path(each.key);
    return {std::move(snapshot), std::move(found)};
}

} // namespace penstock::conf
