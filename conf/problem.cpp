#include "conf/problem.hpp"

#include <algorithm>
#include <tuple>

namespace penstock::conf {

std::string problem::to_string() const
{
    auto text = file;
    if (line > 0) text += ':' + std::to_string(line) + ':' + std::to_string(column);
    text += ": ";
    if (!key.empty()) text += key + ": ";
    if (level == severity::warning) text += "warning: ";
    return text + what;
}

void problem_list::error(place at, std::string key, std::string what)
{
    has_error_ = true;
    found_.push_back({file_, at.line, at.column, std::move(key), std::move(what), problem::severity::error});
}

void problem_list::warning(place at, std::string key, std::string what)
{
    found_.push_back({file_, at.line, at.column, std::move(key), std::move(what), problem::severity::warning});
}

void problem_list::error_of_file(std::string what)
{
    has_error_ = true;
    found_.push_back({file_, 0, 0, {}, std::move(what), problem::severity::error});
}

std::vector<problem> problem_list::take_sorted() &&
{
    std::stable_sort(found_.begin(), found_.end(), [](problem const& a, problem const& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return std::move(found_);
}

} // namespace penstock::conf
