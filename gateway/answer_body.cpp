#include "gateway/answer_body.hpp"

namespace penstock::gateway {
namespace {

constexpr std::string_view problem_json = "application/problem+json";
constexpr std::string_view type_prefix = "https://iana.org/assignments/http-problem-types#";

// Names of limits and our own sentences hold nothing that JSON escapes; the compiler of the configuration sees to it.
void append_member(std::string& out, std::string_view name, std::string_view text)
{
    out.append("\"").append(name).append("\":\"").append(text).append("\"");
}

std::string names_of(limiter::admission_ruling const& gate, limiter::outcome wanted, std::string_view quote)
{
    std::string names;
    for (auto const& each : gate.rulings) {
        if (each.result != wanted || each.policy->advertise == limiter::advertisement::hidden) continue;
        if (!names.empty()) names.append(",");
        names.append(quote).append(each.policy->name).append(quote);
    }
    return names;
}

std::string wait_sentence(limit_report const& report)
{
    if (!report.retry_after) return "Waiting will not help: the request costs more than the limit ever permits at once.";
    return "Retry in " + std::to_string(*report.retry_after) + " s.";
}

std::string rejection_detail(limit_report const& report)
{
    std::string detail;
    if (!report.empty() && report.members.front().violated) {
        auto const& limit = report.members.front();
        detail = "Policy " + limit.policy->name + " allows " + std::to_string(limit.quota) + " requests " +
                 (limit.window ? "per " + std::to_string(*limit.window) + " s. " : "at once. ");
    }
    return detail + wait_sentence(report);
}

std::string problem(std::string_view type, std::string_view title, unsigned status, std::string_view detail,
                    std::string_view policies)
{
    std::string text = "{\"type\":\"";
    text.append(type_prefix).append(type).append("\",");
    append_member(text, "title", title);
    text.append(",\"status\":").append(std::to_string(status)).append(",");
    append_member(text, "detail", detail);
    text.append(",\"violated-policies\":[").append(policies).append("]}");
    return text;
}

// The template's text with {{status}}, {{retry_after}}, {{policies}} and {{detail}} replaced.
std::string fill(std::string_view form, unsigned status, std::string const& policies, limit_report const& report)
{
    std::string text;
    while (!form.empty()) {
        auto const open = form.find("{{");
        text.append(form.substr(0, open));
        if (open == std::string_view::npos) break;
        form.remove_prefix(open + 2);
        auto const close = form.find("}}");
        if (close == std::string_view::npos) return text.append("{{").append(form);
        auto const name = form.substr(0, close);
        form.remove_prefix(close + 2);
        if (name == "status")
            text.append(std::to_string(status));
        else if (name == "retry_after")
            text.append(report.retry_after ? std::to_string(*report.retry_after) : "");
        else if (name == "policies")
            text.append(policies);
        else if (name == "detail")
            text.append(rejection_detail(report));
        else
            text.append("{{").append(name).append("}}");
    }
    return text;
}

} // namespace

answer_body blank_problem(unsigned status, std::string_view phrase, std::string_view detail)
{
    std::string text = "{\"type\":\"about:blank\",";
    append_member(text, "title", phrase);
    text.append(",\"status\":").append(std::to_string(status)).append(",");
    append_member(text, "detail", detail);
    return {text.append("}"), problem_json};
}

answer_body rejection_body(conf::response_settings const& settings, unsigned status, std::string_view phrase,
                           limiter::admission_ruling const& gate, limit_report const& report)
{
    switch (settings.body) {
    case conf::rejection_body::text:
        return {std::to_string(status) + " " + std::string(phrase) + "\n" + rejection_detail(report) + "\n",
                "text/plain; charset=utf-8"};
    case conf::rejection_body::file:
        return {fill(settings.body_template, status, names_of(gate, limiter::outcome::refused, ""), report),
                settings.template_media_type};
    case conf::rejection_body::problem: break;
    }
    return {problem("quota-exceeded", "Quota Exceeded", status, rejection_detail(report),
                    names_of(gate, limiter::outcome::refused, "\"")),
            problem_json};
}

answer_body unavailable_body(limiter::admission_ruling const& gate)
{
    return {problem("temporary-reduced-capacity", "Temporary Reduced Capacity", 503,
                    "The limits of this request cannot be checked at the moment.",
                    names_of(gate, limiter::outcome::unanswered_denied, "\"")),
            problem_json};
}

bool is_shared_cacheable(std::string_view cache_control) noexcept
{
    return cache_control.find("public") != std::string_view::npos || cache_control.find("s-maxage") != std::string_view::npos;
}

} // namespace penstock::gateway
