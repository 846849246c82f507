// A mistake in a configuration, and the list that every check appends to. Knows places and words, no rule of the language.
// Used by every file of this room and printed by the gateway. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::conf {

// A mistake in a document: `FILE:LINE:COLUMN: path.to.key: what is wrong, what would be right`.
struct problem {
    enum class severity : std::uint8_t { error, warning };
    std::string file;
    int line = 0;     // 1-based; 0: the file as a whole
    int column = 0;   // 1-based
    std::string key;  // path.to.key; empty: the document itself
    std::string what; // what is wrong, and what would be right
    severity level = severity::error;

    [[nodiscard]] std::string to_string() const; // a warning says so in front of `what`
};

// Where something stands in the file; both count from 1.
struct place {
    int line = 1;
    int column = 1;
    friend bool operator==(place const&, place const&) = default;
};

// Everything found wrong so far.
class problem_list {
public:
    explicit problem_list(std::string file) : file_(std::move(file)) {}

    void error(place at, std::string key, std::string what);
    void warning(place at, std::string key, std::string what);
    void error_of_file(std::string what); // of the file as a whole: no line

    [[nodiscard]] bool has_error() const noexcept { return has_error_; }
    [[nodiscard]] std::vector<problem> take_sorted() &&; // by line, then column

private:
    std::string file_;
    std::vector<problem> found_;
    bool has_error_ = false;
};

} // namespace penstock::conf
