#include "conf/read_tokens.hpp"

#include "conf/bounded_file.hpp"
#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/scalar.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace penstock::conf {
namespace {

constexpr std::size_t most_secret_bytes = std::size_t{4} * 1024;
constexpr std::size_t most_authorities_bytes = std::size_t{1024} * 1024;

// `application/at+jwt` and `AT+JWT` are one type.
std::string type_of(std::string const& written)
{
    constexpr std::string_view prefix = "application/";
    auto const lower = lower_case(written);
    return lower.starts_with(prefix) ? lower.substr(prefix.size()) : lower;
}

bool holds_certificate(std::string const& pem)
{
    std::unique_ptr<BIO, decltype(&BIO_free)> const bytes(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    std::unique_ptr<X509, decltype(&X509_free)> const first(
        bytes ? PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free);
    return first != nullptr;
}

class issuer_reader {
public:
    issuer_reader(node const& written, std::string path, std::string const& folder, problem_list& problems)
        : written_(written), path_(std::move(path)), folder_(folder), problems_(problems)
    {}

    auth::issuer read()
    {
        made_.name = text_of(written_.find("issuer"));
        for (auto const* one : elements(written_.find("audience"))) made_.audiences.push_back(text_of(one));
        for (auto const* one : elements(written_.find("algorithms"))) {
            if (auto const which = parsed(one, auth::parse_algorithm)) made_.algorithms.push_back(*which);
        }
        set(made_.leeway, written_.find("leeway"), parse_duration);
        made_.type = type_of(text_of(written_.find("type")));
        for (auto const* one : elements(written_.find("scopes"))) made_.scopes.push_back(text_of(one));
        auto& source = made_.source;
        source.url = text_of(written_.find("jwks_url"));
        set(source.refresh, written_.find("jwks_refresh"), parse_duration);
        source.cooldown = std::min(source.cooldown, source.refresh);
        set(source.cooldown, written_.find("jwks_cooldown"), parse_duration);
        set(source.timeout, written_.find("jwks_timeout"), parse_duration);
        source.stale = std::max(source.stale, 2 * source.refresh);
        set(source.stale, written_.find("jwks_stale"), parse_duration);
        if (text_of(written_.find("jwks_stale")) == "off") source.stale = base::micros{0};
        if (source.url.empty()) source.stale = base::micros{0}; // a file is where it is
        key_set();
        secret();
        authorities();
        return std::move(made_);
    }

private:
    [[nodiscard]] node const* file(std::string const& key) const
    {
        auto const* value = written_.find(key);
        return value != nullptr && value->is_scalar() && !value->text.empty() ? value : nullptr;
    }

    [[nodiscard]] std::string full_path(node const& value) const
    {
        return std::filesystem::absolute(std::filesystem::path{folder_} / value.text).string();
    }

    void wrong(node const& value, std::string const& key, std::string what)
    {
        problems_.error(value.at, path_ + '.' + key, std::move(what));
    }

    std::optional<std::string> content(node const& value, std::string const& key, std::size_t most_bytes)
    {
        auto const text = read_bounded(full_path(value), most_bytes);
        if (text) return *text;
        wrong(value, key,
              "cannot read '" + value.written + "' (" + text.error().message() +
                  "); give a readable file, relative to the configuration's folder");
        return std::nullopt;
    }

    void key_set()
    {
        auto const* value = file("jwks_file");
        if (value == nullptr) return;
        made_.source.file = full_path(*value);
        auto const text = content(*value, "jwks_file", auth::most_key_set_bytes);
        if (!text) return;
        auto read = auth::parse_key_set(*text, made_.algorithms);
        auto const in_keys = [](auth::key_note const& note) { return "keys[" + std::to_string(note.index) + "]: " + note.why; };
        for (auto const& note : read.notes) {
            if (note.what == auth::key_note::kind::refused)
                wrong(*value, "jwks_file", "'" + value->written + "' " + in_keys(note) + "; replace or remove that key");
        }
        if (!read.keys && !made_.algorithms.empty()) {
            auto what = "'" + value->written + "' " + read.problem;
            if (!read.notes.empty()) what += " (" + in_keys(read.notes.front()) + ')';
            wrong(*value, "jwks_file", what + "; give a JWK set (RFC 7517) with a public key for these algorithms");
        }
        made_.keys = std::move(read.keys);
    }

    void secret()
    {
        auto const* value = file("secret_file");
        if (value == nullptr) return;
        auto text = content(*value, "secret_file", most_secret_bytes);
        if (!text) return;
        if (text->ends_with('\n')) text->pop_back();
        if (text->ends_with('\r')) text->pop_back();
        if (text->size() < auth::least_secret_bytes)
            wrong(*value, "secret_file",
                  "'" + value->written + "' holds " + std::to_string(text->size()) +
                      " bytes; a secret has at least 32 (openssl rand -hex 32)");
        made_.keys = auth::key_set_of_secret(std::move(*text));
    }

    void authorities()
    {
        auto const* value = file("jwks_ca_file");
        if (value == nullptr) return;
        made_.source.ca_file = full_path(*value);
        auto const text = content(*value, "jwks_ca_file", most_authorities_bytes);
        if (text && !holds_certificate(*text))
            wrong(*value, "jwks_ca_file", "'" + value->written + "' holds no certificate; give a file in PEM format");
    }

    node const& written_;
    std::string path_;
    std::string const& folder_;
    problem_list& problems_;
    auth::issuer made_;
};

} // namespace

std::optional<auth::token_settings> read_tokens(node const& root, std::string const& folder, problem_list& problems)
{
    auto const* written = root.find("auth.jwt");
    if (written == nullptr || !written->is_map()) return std::nullopt;
    auth::token_settings made;
    auto const* issuers = written->find("issuers");
    for (std::size_t i = 0; issuers != nullptr && i < issuers->items.size(); ++i) {
        auto const path = "auth.jwt.issuers[" + std::to_string(i) + ']';
        made.issuers.push_back(issuer_reader{issuers->items[i], path, folder, problems}.read());
    }
    choose(made.on_invalid, written->find("on_invalid"), {{"anonymous", auth::invalid_token::anonymous}});
    if (auto const* realm = written->find("realm")) made.realm = text_of(realm);
    made.resource_metadata = text_of(written->find("resource_metadata"));
    set(made.cached_tokens, written->find("cached_tokens"), parse_integer);
    return made;
}

} // namespace penstock::conf
