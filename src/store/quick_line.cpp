#include "quick_line.hpp"

#include <charconv>

namespace tcrops::store {
namespace {

using Texts = std::vector<std::pair<std::string_view, std::string_view>>;

class Reader {
 public:
  explicit Reader(std::string_view line) : rest_(line) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool sees(char c) const { return !rest_.empty() && rest_.front() == c; }

  bool take(char c) {
    if (!sees(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string_view> text() {
    if (!take('"')) return std::nullopt;
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, end);
    if (text.find('\\') != std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    const auto digits = static_cast<std::size_t>(end - rest_.data());
    if (fault != std::errc() || (sees('0') && digits > 1)) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }

  // Calls `value` with the key of each member of an object; it reads the value.
  template <class Value>
  bool object(Value value) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      const auto key = text();
      if (!key || !take(':') || !value(*key)) return false;
    } while (take(','));
    return take('}');
  }

  std::optional<Texts> texts() {
    Texts found;
    const bool whole = object([&](std::string_view key) {
      const auto value = text();
      if (value) found.emplace_back(key, *value);
      return value.has_value();
    });
    return whole ? std::optional(std::move(found)) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::string_view* text_member(QuickLine& line, std::string_view key) {
  if (key == "event") return &line.event;
  if (key == "id") return &line.id;
  if (key == "kind") return &line.kind;
  if (key == "stage") return &line.stage;
  if (key == "time") return &line.time;
  return key == "key" ? &line.key : nullptr;
}

bool read_member(Reader& reader, std::string_view key, QuickLine& line) {
  if (key == "bytes") return (line.bytes = reader.number()).has_value();
  if (key == "parents") return (line.parents = reader.texts()).has_value();
  const auto text = reader.text();  // nothing else in these lines is of another type
  if (!text) return false;
  if (std::string_view* member = text_member(line, key)) *member = *text;
  return true;
}

}  // namespace

std::optional<QuickLine> read_quickly(std::string_view line) {
  QuickLine found;
  Reader reader(line);
  const bool whole =
      reader.object([&](std::string_view key) { return read_member(reader, key, found); });
  return whole && reader.at_end() ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace tcrops::store
