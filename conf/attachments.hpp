// The files that a document names: secrets and the template of a rejection. Reads them, bounded, and says what cannot be
// read. I/O: files only. Called by load before anything is checked.
#pragma once

#include "conf/document.hpp"

#include <string>

namespace penstock::conf {

// Each is empty where the document names no file.
struct attachments {
    std::string admin_token;
    std::string redis_password;
    std::string hash_secret;
    std::string redis_password_file; // its path, from wherever the process stands
    std::string sentinel_password;
    std::string redis_authorities;
    std::string redis_certificate;
    std::string redis_private_key;
    std::string body_template;
};

// Relative paths are looked up in `folder`.
attachments read_attachments(node const& root, std::string const& folder, problem_list& problems);

} // namespace penstock::conf
