// From a file to a snapshot, or to every problem in it. `penstock check`, start and reload all run exactly this.
#pragma once

#include "conf/environment.hpp"
#include "conf/problem.hpp"
#include "conf/snapshot.hpp"

#include <optional>
#include <string>
#include <vector>

namespace penstock::conf {

struct loaded {
    snapshot_ptr snapshot;         // null if any problem is an error
    std::vector<problem> problems; // in order of lines; warnings may come with a snapshot
};

// Reads the process environment.
std::optional<std::string> process_environment(std::string const& name);

loaded load_file(std::string const& path, environment const& env);
// `name` stands in for the file name in problems; relative *_file keys are read beside `folder`.
loaded load_text(std::string const& text, std::string const& name, std::string const& folder, environment const& env);

} // namespace penstock::conf
