#include "conf/attachments.hpp"

#include "conf/bounded_file.hpp"

#include <filesystem>

namespace penstock::conf {

namespace {

// Who sees in Redis the hash of a key of his own can try short secrets until one gives it, and then test guesses of other keys.
constexpr std::size_t least_hash_secret_bytes = 16;
constexpr std::size_t most_secret_bytes = std::size_t{4} * 1024;
constexpr std::size_t most_certificate_bytes = std::size_t{4} * 1024 * 1024; // a bundle of authorities has a quarter of it
constexpr std::size_t most_template_bytes = std::size_t{256} * 1024;

struct reader {
    node const& root;
    std::string const& folder;
    problem_list& problems;

    std::optional<std::string> read(std::string const& key, node const& value, std::size_t most_bytes) const
    {
        auto const text = read_bounded((std::filesystem::path{folder} / value.text).string(), most_bytes);
        if (text) return *text;
        problems.error(value.at, key,
                       "cannot read '" + value.written + "' (" + text.error().message() +
                           "); give a readable file, relative to the configuration's folder");
        return std::nullopt;
    }

    // The secret that `key` + "_file" names; its last line break is not part of it.
    [[nodiscard]] std::string secret(std::string const& key, std::size_t least_bytes = 0) const
    {
        auto const file_key = key + "_file";
        if (auto const* written = root.find(key); written != nullptr && written->is_scalar())
            check_length(written->text, least_bytes, *written, key);
        auto const* value = root.find(file_key);
        if (value == nullptr || !value->is_scalar() || value->text.empty()) return {};
        if (root.find(key) != nullptr) problems.error(value->at, file_key, "stands beside " + key + "; keep one of them");
        auto text = read(file_key, *value, most_secret_bytes);
        if (!text) return {};
        if (text->ends_with('\n')) text->pop_back();
        if (text->ends_with('\r')) text->pop_back();
        if (text->empty())
            problems.error(value->at, file_key, "'" + value->written + "' is empty; put the secret into it");
        else
            check_length(*text, least_bytes, *value, file_key);
        return *text;
    }

    void check_length(std::string const& text, std::size_t least_bytes, node const& value, std::string const& key) const
    {
        if (text.size() >= least_bytes) return;
        if (text.empty()) return problems.error(value.at, key, "is empty; set it, or remove the key");
        problems.error(value.at, key,
                       "is a secret of " + std::to_string(text.size()) +
                           " bytes, which can be guessed from a hash in Redis; give it at least " +
                           std::to_string(least_bytes) + " (openssl rand -hex 32)");
    }

    // The path that `key` names, or nothing.
    [[nodiscard]] std::string path(std::string const& key) const
    {
        auto const* value = root.find(key);
        if (value == nullptr || !value->is_scalar() || value->text.empty()) return {};
        return absolute(std::filesystem::path{folder} / value->text).string();
    }

    // What `key` names, as it is.
    [[nodiscard]] std::string certificates(std::string const& key) const
    {
        auto const* value = root.find(key);
        if (value == nullptr || !value->is_scalar() || value->text.empty()) return {};
        auto const text = read(key, *value, most_certificate_bytes);
        if (text && text->empty()) problems.error(value->at, key, "'" + value->written + "' is empty; put PEM text into it");
        return text.value_or(std::string{});
    }

    [[nodiscard]] std::string body_template() const
    {
        std::string const key = "responses.rejection.body";
        auto const* value = root.find(key);
        if (value == nullptr || !value->is_scalar() || value->text.empty()) return {};
        if (value->text == "problem" || value->text == "text") return {};
        return read(key, *value, most_template_bytes).value_or(std::string{});
    }
};

} // namespace

attachments read_attachments(node const& root, std::string const& folder, problem_list& problems)
{
    reader const from{root, folder, problems};
    return {.admin_token = from.secret("admin.token"),
            .redis_password = from.secret("redis.password"),
            .hash_secret = from.secret("redis.hash_secret", least_hash_secret_bytes),
            .redis_password_file = from.path("redis.password_file"),
            .sentinel_password = from.secret("redis.sentinel.password"),
            .redis_authorities = from.certificates("redis.tls.ca_file"),
            .redis_certificate = from.certificates("redis.tls.certificate_file"),
            .redis_private_key = from.certificates("redis.tls.private_key_file"),
            .body_template = from.body_template()};
}

} // namespace penstock::conf
