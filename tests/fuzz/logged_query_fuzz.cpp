// OP-33, AK-4, AK-5: whatever stands in front of a secret, what says that it is one is seen: in a query, in a URL within it, escaped
// however often, and in a path.
#include "base/credential_names.hpp"
#include "fuzz_targets.hpp"
#include "gateway/logged_query.hpp"

#include <array>
#include <optional>
#include <string>

namespace penstock::fuzz {
namespace {

using source = conf::credential_source;

std::array const keys{source{source::place::query, "own"}};
constexpr std::string_view secret = "s3cr3t";

// As encodeURIComponent does.
std::string escaped(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view marks = "-_.!~*'()";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        auto const is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              marks.find(c) != std::string_view::npos;
        if (is_plain)
            out.push_back(c);
        else
            out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
    }
    return out;
}

bool hides_end(std::string_view text, std::size_t size)
{
    auto const hidden = gateway::hidden_from(text, keys);
    return hidden && *hidden <= text.size() - size;
}

void look_at_parameter(std::string const& parameter)
{
    auto const hidden = gateway::hidden_from(parameter, keys);
    require(!hidden || *hidden <= parameter.size(), "what is hidden is a part of it");
    for (std::string const name : {"token", "own", "reset_code", "x-api-key", "%74oken"}) {
        require(hides_end(parameter + ";" + name + "=" + std::string(secret), secret.size()), "a secret behind it is hidden");
        if (name.starts_with('%')) continue; // within a value this is the name `oken`
        auto const within = escaped(parameter + "?" + name + "=" + std::string(secret));
        require(hides_end("url=" + within, secret.size()), "so is one in a URL");
        require(hides_end("url=" + escaped("/x?y=" + within), secret.size()), "and in a URL within a URL");
    }
    constexpr std::string_view userinfo = "s3cr3t@h";
    auto const url = parameter + "//u:" + std::string(userinfo);
    require(hides_end(url, userinfo.size()), "a password of a URL is hidden");
    require(hides_end("url=" + escaped(url), escaped(userinfo).size()), "also escaped");
    require(base::is_credential_name(parameter + "_token") && base::is_credential_name("token_" + parameter),
            "a word of a name tells");
    require(!base::is_credential_name(parameter) || base::may_be_credential_name(parameter), "what the log hides a key hides");
}

void look_at_path(std::string_view path)
{
    base::request_facts facts;
    facts.path = path;
    std::size_t begin = 0;
    while (begin <= path.size()) {
        auto const segment = path.substr(begin, path.find('/', begin) - begin);
        auto const hidden = gateway::hidden_from(segment, facts, keys);
        require(!hidden || *hidden <= segment.size(), "what is hidden is a part of the segment");
        std::array const captured{base::path_capture{"token", segment}};
        auto with_capture = facts;
        with_capture.captures = captured;
        require(segment.empty() || gateway::hidden_from(segment, with_capture, keys) == std::optional<std::size_t>{0},
                "what is captured as a credential is hidden");
        begin += segment.size() + 1;
    }
    auto const longer = std::string(path) + ";sid=" + std::string(secret);
    facts.path = longer;
    auto const last = facts.path.substr(longer.rfind('/') == std::string::npos ? 0 : longer.rfind('/') + 1);
    auto const hidden = gateway::hidden_from(last, facts, keys);
    require(hidden && *hidden <= last.size() - secret.size(), "a parameter of the path is hidden");
}

} // namespace

void logged_query(std::string_view lines)
{
    auto query = take_line(lines);
    while (!query.empty()) {
        auto const end = query.find('&');
        look_at_parameter(std::string(query.substr(0, end)));
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    }
    look_at_path(lines);
}

} // namespace penstock::fuzz
