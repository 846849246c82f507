#include "conf/bounded_file.hpp"

#include <filesystem>
#include <fstream>

namespace penstock::conf {

base::result<std::string> read_bounded(std::string const& path, std::size_t most_bytes)
{
    namespace errc = boost::system::errc;
    std::error_code failed;
    auto const status = std::filesystem::status(path, failed);
    if (failed) return base::error_code{failed};
    if (!std::filesystem::is_regular_file(status)) return errc::make_error_code(errc::invalid_argument);

    std::ifstream file{path, std::ios::binary};
    if (!file) return errc::make_error_code(errc::permission_denied);
    std::string text(most_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return errc::make_error_code(errc::io_error);
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most_bytes) return errc::make_error_code(errc::file_too_large);
    return text;
}

} // namespace penstock::conf
