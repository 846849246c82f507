// From a document without errors to the snapshot that the workers hold: names become ids and pointers, limits become plans.
// Called by load, last. Pure.
#pragma once

#include "conf/attachments.hpp"
#include "conf/document.hpp"
#include "conf/outline.hpp"
#include "conf/settings.hpp"
#include "conf/snapshot.hpp"

#include <string>

namespace penstock::conf {

// `parts` and `read` came from `root`, and no check found an error in them.
snapshot_ptr compile(node const& root, outline parts, settings read, attachments const& files);

// What follows the identity in every partition key of this limit.
std::string key_suffix_of(std::string const& limit, limiter::algorithm const& numbers);

} // namespace penstock::conf
