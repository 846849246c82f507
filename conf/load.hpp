// From a file to a snapshot, or to every problem in it. `penstock check`, start and reload all run exactly this.
#pragma once

#include "conf/snapshot.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace penstock::conf {

// A mistake in a document: `FILE:LINE:COLUMN: path.to.key: what is wrong, what would be right`.
struct problem {
    enum class severity : std::uint8_t { error, warning };
    std::string file;
    int line = 0;   // 1-based; 0: the file as a whole
    int column = 0; // 1-based
    std::string key; // path.to.key
    std::string what; // what is wrong, and what would be right
    severity level = severity::error;

    [[nodiscard]] std::string to_string() const;
};

struct loaded {
    snapshot_ptr snapshot;         // null if any problem is an error
    std::vector<problem> problems; // in order of lines; warnings may come with a snapshot
};

using environment = std::function<std::optional<std::string>(std::string const& name)>;

// Reads the process environment.
std::optional<std::string> process_environment(std::string const& name);

loaded load_file(std::string const& path, environment const& env);
// `name` stands in for the file name in problems; relative *_file keys are read beside `folder`.
loaded load_text(std::string const& text, std::string const& name, std::string const& folder, environment const& env);

} // namespace penstock::conf
