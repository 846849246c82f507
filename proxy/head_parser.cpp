#include "proxy/head_parser.hpp"

#include "proxy/strict_spelling.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <charconv>

namespace penstock::proxy {
namespace {

namespace http = boost::beast::http;

// Beast's parser, reporting the head and stopping there.
template <bool IsRequest, class Head>
class head_reader final : public http::basic_parser<IsRequest> {
public:
    explicit head_reader(Head& into) noexcept : head_(into) {}

private:
    using error_code = boost::beast::error_code;
    using view = boost::beast::string_view;

    void on_request_impl(http::verb, view method, view target, int version, error_code&) override
    {
        if constexpr (IsRequest) {
            head_.method = method;
            head_.target = target;
            head_.minor_version = version == 10 ? 0 : 1;
        }
    }
    void on_response_impl(int code, view reason, int version, error_code&) override
    {
        if constexpr (!IsRequest) {
            head_.status = static_cast<unsigned>(code);
            head_.reason = reason;
            head_.minor_version = version == 10 ? 0 : 1;
        }
    }
    void on_field_impl(http::field, view name, view value, error_code&) override { head_.fields.push_back({name, value}); }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(view, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, view, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    Head& head_;
};

bool same(std::string_view a, std::string_view b) noexcept { return boost::beast::iequals(a, b); }

// The next element of a comma-separated list, taken off its front; empty elements are passed over.
std::string_view take_element(std::string_view& list) noexcept
{
    auto const white = " \t";
    while (!list.empty()) {
        auto const comma = list.find(',');
        auto element = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
        auto const first = element.find_first_not_of(white);
        if (first == std::string_view::npos) continue;
        return element.substr(first, element.find_last_not_of(white) - first + 1);
    }
    return {};
}

// What the fields that frame and steer a message say, collected in one pass over them.
struct control_fields {
    unsigned content_lengths = 0;
    unsigned transfer_codings = 0;
    unsigned hosts = 0;
    unsigned expectations = 0;
    std::string_view content_length;
    std::string_view transfer_coding;
    std::string_view expectation;
    std::string_view upgrade;
    bool close = false;
    bool keep_alive = false;
    bool wants_upgrade = false;
};

void note_connection(control_fields& seen, std::string_view options) noexcept
{
    for (auto option = take_element(options); !option.empty(); option = take_element(options)) {
        if (same(option, "close"))
            seen.close = true;
        else if (same(option, "keep-alive"))
            seen.keep_alive = true;
        else if (same(option, "upgrade"))
            seen.wants_upgrade = true;
    }
}

control_fields collect(std::vector<base::field> const& fields) noexcept
{
    control_fields seen;
    for (auto const& [name, value] : fields) {
        switch (name.size()) {
        case 4:
            if (same(name, "host")) ++seen.hosts;
            break;
        case 6:
            if (same(name, "expect")) ++seen.expectations, seen.expectation = value;
            break;
        case 7:
            if (same(name, "upgrade")) seen.upgrade = value;
            break;
        case 10:
            if (same(name, "connection")) note_connection(seen, value);
            break;
        case 14:
            if (same(name, "content-length")) ++seen.content_lengths, seen.content_length = value;
            break;
        case 17:
            if (same(name, "transfer-encoding")) ++seen.transfer_codings, seen.transfer_coding = value;
            break;
        default: break;
        }
    }
    return seen;
}

// Exactly one line of digits (H1-44): what two parties could read in two ways is refused.
head_problem read_length(control_fields const& seen, std::uint64_t& length) noexcept
{
    if (seen.content_lengths != 1) return head_problem::bad_framing;
    auto const text = seen.content_length;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), length);
    auto const fits = ec == std::errc{} && end == text.data() + text.size() && length <= std::uint64_t{INT64_MAX};
    return fits ? head_problem::none : head_problem::bad_framing;
}

// Beast unfolds obs-fold, also one that begins with nothing; a gateway refuses it (H1-6).
bool has_folded_line(std::string_view bytes) noexcept
{
    for (auto lf = bytes.find('\n'); lf != std::string_view::npos; lf = bytes.find('\n', lf + 1)) {
        auto const next = bytes.substr(lf + 1);
        if (next.starts_with(' ') || next.starts_with('\t')) return true;
    }
    return false;
}

template <bool IsRequest, class Head>
head_problem parse_as_it_is(std::string_view bytes, Head& head)
{
    head.fields.clear();
    head.body = {};
    head_reader<IsRequest, Head> parser(head);
    parser.header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
    parser.body_limit(boost::none); // content is not its concern
    boost::beast::error_code ec;
    auto const used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (ec == http::error::bad_version) return head_problem::unsupported_version;
    if (ec == http::error::bad_content_length || ec == http::error::multiple_content_length ||
        ec == http::error::bad_transfer_encoding)
        return head_problem::bad_framing;
    if (ec || used != bytes.size() || has_folded_line(bytes)) return head_problem::malformed;
    return head_problem::none;
}

template <bool IsRequest, class Head>
head_problem parse_head(std::string_view bytes, Head& head)
{
    auto const problem = parse_as_it_is<IsRequest>(bytes, head);
    if (problem != head_problem::malformed && problem != head_problem::unsupported_version) return problem;
    auto const changed =
        IsRequest ? spell_request_strictly(bytes, head.spelled_anew) : spell_response_strictly(bytes, head.spelled_anew);
    return changed ? parse_as_it_is<IsRequest>(head.spelled_anew, head) : problem;
}

// Beast says "bad version" of anything behind the target; only HTTP/digit.digit is one, and only another than ours (H1-12).
bool names_another_version(std::string_view bytes) noexcept
{
    auto const line = bytes.substr(0, bytes.find('\r'));
    auto const at = line.find(' ', line.find(' ') + 1);
    if (at == std::string_view::npos) return false;
    auto const text = line.substr(at + 1);
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto const is_version =
        text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
    return is_version && text != "HTTP/1.0" && text != "HTTP/1.1";
}

} // namespace

head_problem parse_request_head(std::string_view bytes, request_head& head)
{
    if (auto const problem = parse_head<true>(bytes, head); problem != head_problem::none) {
        if (problem == head_problem::unsupported_version && !names_another_version(bytes)) return head_problem::malformed;
        return problem;
    }

    auto const seen = collect(head.fields);
    auto const is_1_0 = head.minor_version == 0;
    if (seen.hosts > 1 || (seen.hosts == 0 && !is_1_0)) return head_problem::bad_host;

    if (seen.transfer_codings != 0) {
        if (is_1_0 || seen.transfer_codings > 1 || seen.content_lengths != 0)
            return head_problem::bad_framing; // H1-40, H1-42, H1-43
        if (!same(seen.transfer_coding, "chunked"))
            return seen.transfer_coding.find_first_of(" \t,;") == std::string_view::npos && !seen.transfer_coding.empty()
                       ? head_problem::unknown_coding
                       : head_problem::bad_framing;
        head.body.how = body_framing::kind::chunked;
    } else if (seen.content_lengths != 0) {
        if (auto const problem = read_length(seen, head.body.length); problem != head_problem::none) return problem;
        head.body.how = body_framing::kind::length;
    }

    head.keep_alive = is_1_0 ? seen.keep_alive && !seen.close : !seen.close;
    head.expects_continue = false;
    if (seen.expectations != 0 && !is_1_0) { // RFC 9110 section 10.1.1: ignored from a 1.0 client
        if (seen.expectations > 1 || !same(seen.expectation, "100-continue")) return head_problem::unknown_expectation;
        head.expects_continue = head.body.has_content();
    }
    head.upgrade = seen.wants_upgrade && !is_1_0 ? seen.upgrade : std::string_view{};
    return head_problem::none;
}

head_problem parse_response_head(std::string_view bytes, answers method, response_head& head)
{
    if (auto const problem = parse_head<false>(bytes, head); problem != head_problem::none) return problem;

    auto const seen = collect(head.fields);
    auto const is_1_0 = head.minor_version == 0;
    head.keep_alive = is_1_0 ? seen.keep_alive && !seen.close : !seen.close;
    head.upgrade = seen.upgrade;
    if (seen.transfer_codings > 1 || (seen.transfer_codings != 0 && seen.content_lengths != 0))
        return head_problem::bad_framing;
    std::uint64_t length = 0;
    if (seen.content_lengths != 0 && read_length(seen, length) != head_problem::none) return head_problem::bad_framing; // H1-57

    auto const has_no_body =
        method == answers::head_request || head.status / 100 == 1 || head.status == 204 || head.status == 304;
    if (has_no_body) return head_problem::none;
    if (seen.transfer_codings != 0) {
        if (!same(seen.transfer_coding, "chunked")) return head_problem::unknown_coding;
        head.body.how = body_framing::kind::chunked;
    } else if (seen.content_lengths != 0) {
        head.body = {body_framing::kind::length, length};
    } else {
        head.body.how = body_framing::kind::until_close;
        head.keep_alive = false;
    }
    return head_problem::none;
}

std::string_view name_of(head_problem problem) noexcept
{
    switch (problem) {
    case head_problem::none: return "none";
    case head_problem::malformed: return "malformed";
    case head_problem::unsupported_version: return "unsupported_version";
    case head_problem::target_too_long: return "target_too_long";
    case head_problem::fields_too_large: return "fields_too_large";
    case head_problem::bad_framing: return "bad_framing";
    case head_problem::unknown_coding: return "unknown_coding";
    case head_problem::unknown_expectation: return "unknown_expectation";
    case head_problem::bad_host: return "bad_host";
    case head_problem::bad_target: return "bad_target";
    }
    return "unknown";
}

} // namespace penstock::proxy
