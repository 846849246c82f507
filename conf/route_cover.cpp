#include "conf/route_cover.hpp"

#include "base/credential_names.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace penstock::conf {

namespace {

std::vector<std::string_view> segments_of(std::string_view pattern)
{
    std::vector<std::string_view> segments;
    while (!pattern.empty()) {
        pattern.remove_prefix(1); // '/'
        auto const end = std::min(pattern.find('/'), pattern.size());
        segments.push_back(pattern.substr(0, end));
        pattern.remove_prefix(end);
    }
    return segments;
}

bool is_any_one(std::string_view segment) { return segment == "*" || segment.starts_with('{'); }

bool path_covers(std::string_view earlier, std::string_view later)
{
    auto const wide = segments_of(earlier);
    auto const narrow = segments_of(later);
    for (std::size_t i = 0; i < wide.size(); ++i) {
        if (wide[i] == "**") return true;
        if (i == narrow.size() || narrow[i] == "**") return false;
        bool const fits = is_any_one(wide[i]) ? !narrow[i].empty() : wide[i] == narrow[i];
        if (!fits) return false;
    }
    return wide.size() == narrow.size();
}

bool host_covers(std::string_view earlier, std::string_view later)
{
    if (earlier.empty() || earlier == later) return true;
    return earlier.starts_with("*.") && later.size() > earlier.size() - 1 && later.ends_with(earlier.substr(1));
}

bool methods_cover(std::vector<std::string> const& earlier, std::vector<std::string> const& later)
{
    if (earlier.empty()) return true;
    return !later.empty() && std::all_of(later.begin(), later.end(), [&](std::string const& method) {
        return std::find(earlier.begin(), earlier.end(), method) != earlier.end();
    });
}

} // namespace

bool covers(proxy::route const& earlier, proxy::route const& later)
{
    return host_covers(earlier.host, later.host) && methods_cover(earlier.methods, later.methods) &&
           path_covers(earlier.path.text(), later.path.text());
}

bool has_one_host(proxy::route const& route) noexcept { return !route.host.empty() && !route.host.starts_with("*."); }

// A literal segment has no brace. An asterisk in one makes it look like a wildcard, which warns where it need not.
bool has_one_path(proxy::route const& route) noexcept { return route.path.text().find_first_of("*{") == std::string::npos; }

bool captures(proxy::path_pattern const& pattern, std::string_view name)
{
    auto const segments = segments_of(pattern.text());
    return std::find(segments.begin(), segments.end(), '{' + std::string{name} + '}') != segments.end();
}

bool captures_credential(proxy::path_pattern const& pattern)
{
    auto const segments = segments_of(pattern.text());
    return std::any_of(segments.begin(), segments.end(), [](std::string_view each) {
        return each.starts_with('{') && base::may_be_credential_name(each.substr(1, each.size() - 2));
    });
}

} // namespace penstock::conf
