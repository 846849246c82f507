// RFC 7239: read from the right, a list has the elements that a reader from the left finds in it; nothing that a caller
// writes in front of what a proxy wrote changes who it is; and what is passed on can be read by anybody.
#include "base/field_name.hpp"
#include "base/forwarded.hpp"
#include "fuzz_targets.hpp"
#include "partition/client_address.hpp"
#include "proxy/forwarding_fields.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace penstock::fuzz {
namespace {

using base::ip_address;

// A reader from the left, kept as plain as the grammar; nothing if the list is malformed.
class left_reader {
public:
    explicit left_reader(std::string_view text) : text_(text) {}

    std::optional<std::vector<std::string>> elements()
    {
        std::vector<std::string> found;
        for (;;) {
            blanks();
            auto const begin = at_;
            if (!element()) return std::nullopt;
            if (auto const one = base::trim_ows(text_.substr(begin, at_ - begin)); !one.empty()) found.emplace_back(one);
            if (at_ == text_.size()) return found;
            if (text_[at_++] != ',') return std::nullopt;
        }
    }

private:
    bool is(char c) const { return at_ < text_.size() && text_[at_] == c; }
    void blanks()
    {
        while (is(' ') || is('\t')) ++at_;
    }
    bool token()
    {
        auto const begin = at_;
        while (at_ < text_.size() && text_[at_] > ' ' && text_[at_] < 0x7F &&
               std::string_view{"\"(),/:;<=>?@[\\]{}"}.find(text_[at_]) == std::string_view::npos)
            ++at_;
        return at_ > begin;
    }
    bool quoted()
    {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\') ++at_;
            if (at_ == text_.size()) return false;
            auto const byte = static_cast<unsigned char>(text_[at_]);
            if (byte == 0x7F || (byte < 0x20 && byte != '\t')) return false;
        }
        return at_ < text_.size() && text_[at_++] == '"';
    }
    bool element()
    {
        std::vector<std::string> names;
        for (;; ++at_) {
            blanks();
            auto const begin = at_;
            if (token()) {
                std::string name{text_.substr(begin, at_ - begin)};
                std::transform(name.begin(), name.end(), name.begin(), base::ascii_lower);
                auto const known = name == "for" || name == "by" || name == "host" || name == "proto";
                if (known && std::find(names.begin(), names.end(), name) != names.end()) return false;
                names.push_back(std::move(name));
                if (!is('=')) return false;
                ++at_;
                if (!(is('"') ? quoted() : token())) return false;
            }
            blanks();
            if (!is(';')) return true;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::vector<std::string> from_the_right(std::string_view line, bool& whole)
{
    std::vector<std::string> found;
    while (auto const element = base::take_last_element(line)) {
        whole = whole && element->well_formed;
        found.emplace_back(element->text);
        if (!element->well_formed) continue;
        require(!element->text.empty(), "an empty element is passed over");
        if (auto const address = base::node_address(element->node))
            require(ip_address::parse(address->to_string()) == address, "text and address are one");
    }
    std::reverse(found.begin(), found.end());
    return found;
}

void check_line(std::string_view line)
{
    auto const expected = left_reader{line}.elements();
    bool whole = true;
    auto const found = from_the_right(line, whole);
    require(whole == expected.has_value(), "both readers agree whether a line is whole");
    if (!whole) return;
    require(found == *expected, "both readers find the same elements");
    std::vector<std::string> again;
    for (auto rest = line; auto const element = base::take_first_element(rest);) again.emplace_back(element->text);
    require(again == *expected, "a whole line can be read from the left");
}

// The value of the line of that name in what was written; the line ends before the next one.
std::string_view value_of(std::string_view written, std::string_view name)
{
    auto const at = written.find(name);
    require(at != std::string_view::npos, "the line is there");
    auto const value = written.substr(at + name.size());
    return value.substr(0, value.find("\r\n"));
}

void check_passed_on(std::vector<base::field> const& fields, partition::client_address const& who)
{
    proxy::forwarding_context context;
    context.fields = fields;
    context.peer = ip_address::parse("10.0.0.1");
    context.client = who.client;
    context.trust = proxy::peer_trust::trusted;
    context.source = proxy::told_by::forwarded;
    context.forwarded_proto = who.proto;
    context.forwarded_host = who.host;
    context.scheme = "http";
    context.authority = "example.com";
    context.received_protocol = "1.1";
    context.via_name = "penstock";
    std::string written;
    proxy::append_forwarding_fields(written, context);
    auto const forwarded = left_reader{value_of(written, "\r\nForwarded: ")}.elements();
    require(forwarded.has_value(), "what is passed on is whole");
    require(forwarded->back() == "for=10.0.0.1;host=example.com;proto=http", "it ends in the peer");
    auto const chain = value_of(written, "X-Forwarded-For: ");
    auto const commas = static_cast<std::size_t>(std::count(chain.begin(), chain.end(), ','));
    require(commas + 1 == forwarded->size(), "both chains have the same hops");
}

} // namespace

void forwarded(std::string_view text)
{
    static auto const settings = [] {
        partition::client_settings made;
        made.source = partition::address_source::forwarded;
        made.trusted_proxies = {*base::ip_network::parse("10.0.0.0/8"), *base::ip_network::parse("2001:db8:f::/48")};
        return made;
    }();
    std::vector<std::string> lines;
    while (!text.empty()) {
        auto line = std::string{take_line(text)};
        std::erase(line, '\r'); // a head has none
        std::erase(line, '\0');
        check_line(line);
        lines.push_back(std::move(line));
    }
    lines.emplace_back();
    auto const fields = [&] {
        std::vector<base::field> made;
        for (auto const& line : lines) made.push_back({"Forwarded", line});
        return made;
    };
    auto const stranger = ip_address::parse("203.0.113.9");
    require(partition::find_client(settings, stranger, fields()).client == stranger, "an untrusted peer is the client");
    auto const who = partition::find_client(settings, ip_address::parse("10.0.0.1"), fields());
    require(who.client.has_value(), "a peer with an address leaves nobody unnamed");
    check_passed_on(fields(), who);

    constexpr std::string_view appended = R"(for=203.0.113.9;by="_x,y", for="[2001:db8:f::2]:80", for="10.0.0.2:_a";x="\"")";
    lines.back() = appended;
    require(partition::find_client(settings, ip_address::parse("10.0.0.1"), fields()).client == stranger,
            "what stands to the left of the client is not believed (IP-4)");
    if (lines.size() > 1) {
        lines[lines.size() - 2].append(", ").append(appended);
        lines.pop_back();
        require(partition::find_client(settings, ip_address::parse("10.0.0.1"), fields()).client == stranger,
                "nor what stands in the same line, whatever quotes it opens (IP-23)");
    }
}

} // namespace penstock::fuzz
