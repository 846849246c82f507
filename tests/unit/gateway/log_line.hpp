// A line of the access log as a test reads it.
#pragma once

#include "gateway/access_record.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace penstock::gateway {

inline std::string line_of(access_record const& record, base::request_facts const& facts)
{
    std::string out = "before\n";
    append_access_line(out, record, facts, 1, 784'111'777'123'456, base::micros{1500});
    CHECK(out.starts_with("before\n"));
    return out.substr(7);
}

inline nlohmann::json parsed(std::string const& line)
{
    CHECK(line.ends_with("}\n"));
    CHECK(line.find('\n') + 1 == line.size());
    return nlohmann::json::parse(line);
}

} // namespace penstock::gateway
