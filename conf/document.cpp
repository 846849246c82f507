#include "conf/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace penstock::conf {

namespace {

// Ends parsing early; caught in parse_document.
struct refused {
    place at;
    std::string why;
};

place place_of(YAML::Mark const& mark) { return mark.is_null() ? place{} : place{mark.line + 1, mark.column + 1}; }

std::string join(std::string const& path, std::string const& key) { return path.empty() ? key : path + '.' + key; }

// ${NAME} may stand where YAML gives braces and commas a meaning of their own ([a, ${B:-c,d}]), so these are masked by
// bytes that no text may hold, one for one: columns stay true.
constexpr char masked_open = '\x01';
constexpr char masked_close = '\x02';
constexpr char masked_comma = '\x03';

std::string mask_variables(std::string text)
{
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 1)) {
        auto const end = text.find_first_of("}\n", at);
        if (end == std::string::npos || text[end] != '}') continue;
        text[at + 1] = masked_open;
        text[end] = masked_close;
        std::replace(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end), ',',
                     masked_comma);
    }
    return text;
}

std::string unmask(std::string text)
{
    std::replace(text.begin(), text.end(), masked_open, '{');
    std::replace(text.begin(), text.end(), masked_close, '}');
    std::replace(text.begin(), text.end(), masked_comma, ',');
    return text;
}

// The place of the first byte that YAML does not allow in a text, if there is one.
std::optional<place> find_control_byte(std::string const& text)
{
    place at;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f) return at;
        at = c == '\n' ? place{at.line + 1, 1} : place{at.line, at.column + 1};
    }
    return std::nullopt;
}

// Builds the tree from yaml-cpp's events: one frame per open list or map.
class builder final : public YAML::EventHandler {
public:
    explicit builder(problem_list& problems) : problems_(problems) {}

    [[nodiscard]] std::optional<node> take_root() { return std::move(root_); }

    void OnDocumentStart(YAML::Mark const& mark) override
    {
        if (root_) throw refused{place_of(mark), "a second YAML document; remove it and the `---` before it"};
    }
    void OnDocumentEnd() override {}

    void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override
    {
        refuse_anchor(mark, anchor);
        attach(leaf(node::kind::null, mark, {}));
    }

    void OnAlias(YAML::Mark const& mark, YAML::anchor_t) override
    {
        throw refused{place_of(mark), "aliases (*name) are not part of this language; write the value out"};
    }

    void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor, std::string const& masked) override
    {
        auto const value = unmask(masked);
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (awaits_key()) {
            begin_member(value, place_of(mark));
        } else {
            attach(leaf(node::kind::scalar, mark, value));
        }
    }

    void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open(node::kind::list, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
    {
        open(node::kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

private:
    struct frame {
        node value;
        std::string path;
        bool has_key = false;   // a key was read, its value comes next
        bool drop_next = false; // that key stood before
        std::string key;
        place key_at;
        std::unordered_map<std::string, int> lines_of_keys;
    };

    [[nodiscard]] bool awaits_key() const { return !open_.empty() && open_.back().value.is_map() && !open_.back().has_key; }

    static void refuse_anchor(YAML::Mark const& mark, YAML::anchor_t anchor)
    {
        if (anchor != YAML::NullAnchor) {
            throw refused{place_of(mark),
                          "anchors (&name) are not part of this language; write the value out where it is needed"};
        }
    }

    static void refuse_tag(YAML::Mark const& mark, std::string const& tag)
    {
        if (!tag.empty() && tag != "?" && tag != "!") {
            throw refused{place_of(mark), // without the tag: a password may begin like one
                          "tags (!name) are not part of this language; remove the tag, or put a text with '!' in quotes"};
        }
    }

    node leaf(node::kind is, YAML::Mark const& mark, std::string const& text)
    {
        if (awaits_key()) throw refused{place_of(mark), "a key must be a text; write `key: value`"};
        count(mark);
        node made;
        made.is = is;
        made.at = place_of(mark);
        made.text = text;
        made.written = text;
        return made;
    }

    void count(YAML::Mark const& mark)
    {
        if (++nodes_ > most_document_nodes) {
            throw refused{place_of(mark), "the document has more than " + std::to_string(most_document_nodes) + " values"};
        }
    }

    void open(node::kind is, YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor)
    {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (open_.size() >= static_cast<std::size_t>(most_document_depth)) {
            throw refused{place_of(mark), "nested deeper than " + std::to_string(most_document_depth) + " levels"};
        }
        frame made;
        made.value = leaf(is, mark, {});
        made.path = path_of_next();
        open_.push_back(std::move(made));
    }

    void close()
    {
        auto done = std::move(open_.back().value);
        open_.pop_back();
        attach(std::move(done));
    }

    [[nodiscard]] std::string path_of_next() const
    {
        if (open_.empty()) return {};
        auto const& parent = open_.back();
        if (parent.value.is_map()) return join(parent.path, parent.key);
        return parent.path + '[' + std::to_string(parent.value.items.size()) + ']';
    }

    void begin_member(std::string const& key, place at)
    {
        auto& parent = open_.back();
        parent.has_key = true;
        parent.key = key;
        parent.key_at = at;
        auto const [first, is_new] = parent.lines_of_keys.emplace(key, at.line);
        parent.drop_next = !is_new;
        if (!is_new) {
            problems_.error(at, join(parent.path, key),
                            "stands here a second time (first on line " + std::to_string(first->second) +
                                "); keep one of them");
        }
    }

    void attach(node value)
    {
        if (open_.empty()) {
            root_ = std::move(value);
            return;
        }
        auto& parent = open_.back();
        if (parent.value.is_list()) {
            parent.value.items.push_back(std::move(value));
            return;
        }
        parent.has_key = false;
        if (value.is == node::kind::null) value.at = parent.key_at; // yaml-cpp marks whatever comes after
        if (!parent.drop_next) parent.value.members.push_back({std::move(parent.key), parent.key_at, std::move(value)});
    }

    problem_list& problems_;
    std::vector<frame> open_;
    std::optional<node> root_;
    std::size_t nodes_ = 0;
};

} // namespace

member const* node::find_member(std::string_view key) const noexcept
{
    auto const found = std::find_if(members.begin(), members.end(), [&](member const& m) { return m.key == key; });
    return found == members.end() ? nullptr : &*found;
}

node const* node::find(std::string_view dotted) const noexcept
{
    auto const* here = this;
    while (here != nullptr && !dotted.empty()) {
        auto const dot = dotted.find('.');
        auto const* next = here->find_member(dotted.substr(0, dot));
        here = next == nullptr ? nullptr : &next->value;
        dotted = dot == std::string_view::npos ? std::string_view{} : dotted.substr(dot + 1);
    }
    return here;
}

std::optional<node> parse_document(std::string const& text, problem_list& problems)
{
    if (text.size() > most_document_bytes) {
        problems.error_of_file("the file is larger than 1 MiB; a configuration is not");
        return std::nullopt;
    }
    if (auto const at = find_control_byte(text)) {
        problems.error(*at, {}, "a control character; a YAML text holds none (write \"\\xNN\" in double quotes)");
        return std::nullopt;
    }
    try {
        std::istringstream stream{mask_variables(text)};
        YAML::Parser parser{stream};
        builder made{problems};
        while (parser.HandleNextDocument(made)) {}
        auto root = made.take_root();
        if (!root || !root->is_map()) {
            problems.error(root ? root->at : place{}, {},
                           "the document must be a map of keys such as listeners, upstreams and routes");
            return std::nullopt;
        }
        return root;
    } catch (refused const& r) {
        problems.error(r.at, {}, r.why);
    } catch (YAML::Exception const& e) {
        problems.error(place_of(e.mark), {},
                       // Behind a colon yaml-cpp says what it has read.
                       "not YAML: " + e.msg.substr(0, e.msg.find(':')) +
                           "; look at indentation (spaces only), brackets and quotes around here");
    }
    return std::nullopt;
}

} // namespace penstock::conf
