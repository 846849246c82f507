// Everything of a document that is neither limit, route nor upstream, as settings; defaults where it says nothing. Called
// by load, before the checks: what could not be read keeps its default. Pure.
#pragma once

#include "conf/attachments.hpp"
#include "conf/document.hpp"
#include "conf/settings.hpp"
#include "proxy/upstream_spec.hpp"

#include <vector>

namespace penstock::conf {

settings read_settings(node const& root, attachments const& files);
std::vector<proxy::upstream_spec> read_upstreams(node const& root); // ids count up from 0

} // namespace penstock::conf
