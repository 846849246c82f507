#include "gateway/version.hpp"

#include <boost/version.hpp>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <spdlog/version.h>

namespace penstock::gateway {

std::string describe_build()
{
    auto const boost = std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000);
    auto const json = std::to_string(NLOHMANN_JSON_VERSION_MAJOR) + "." + std::to_string(NLOHMANN_JSON_VERSION_MINOR);
    auto const log = std::to_string(SPDLOG_VER_MAJOR) + "." + std::to_string(SPDLOG_VER_MINOR);
    return "penstock " + std::string(program_version) + "\nBoost " + boost + ", " + OpenSSL_version(OPENSSL_VERSION) +
           ", nlohmann_json " + json + ", spdlog " + log + "\ncompiled by " + __VERSION__ + "\n";
}

} // namespace penstock::gateway
