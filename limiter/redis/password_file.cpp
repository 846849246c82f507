#include "limiter/redis/password_file.hpp"

#include <array>
#include <fstream>

namespace penstock::limiter::redis {

std::optional<std::string> read_password(std::string const& path)
{
    std::array<char, 4096> bytes;
    std::ifstream file(path, std::ios::binary);
    file.read(bytes.data(), bytes.size());
    auto const size = static_cast<std::size_t>(file.gcount());
    if (size == bytes.size()) return std::nullopt;
    std::string text(bytes.data(), size);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) return std::nullopt;
    return text;
}

} // namespace penstock::limiter::redis
