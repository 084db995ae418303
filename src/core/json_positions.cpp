#include "json_positions.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <vector>

namespace tcrops {
namespace {

TextPosition position_at(const std::string& text, std::size_t offset) {
  TextPosition position;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else {
      ++position.column;
    }
  }
  return position;
}

// From the closing quote of a text to its opening one, which never follows a backslash.
std::size_t opening_quote(const std::string& text, std::size_t closing) {
  std::size_t quote = closing;
  do {
    quote = text.rfind('"', quote - 1);
  } while (quote > 0 && text[quote - 1] == '\\');
  return quote;
}

// The parser names the last character it read: for a whole token in the wrong place, go to its
// first.
std::size_t error_start(const std::string& text, std::size_t last, const std::string& reason) {
  if (reason.find("unexpected string literal") != std::string::npos) {
    return opening_quote(text, last);
  }
  if (reason.find(" literal; expected") == std::string::npos) return last;
  constexpr std::string_view kWord = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
  while (last > 0 && kWord.find(text[last - 1]) != std::string_view::npos) --last;
  return last;
}

// Counts the characters that the parser has taken, which its own events do not tell.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

// Builds nothing: only notes where each key stands. Arrays are walked but not named.
class KeyRecorder {
 public:
  KeyRecorder(const std::string& text, std::string name, const std::size_t* count)
      : text_(text), name_(std::move(name)), count_(count) {}

  std::map<std::string, TextPosition> positions;

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(Json::number_integer_t) { return true; }
  bool number_unsigned(Json::number_unsigned_t) { return true; }
  bool number_float(Json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(Json::binary_t&) { return true; }
  bool start_object(std::size_t) {
    path_.push_back(key_);
    return true;
  }
  bool end_object() {
    path_.pop_back();
    return true;
  }
  bool start_array(std::size_t) { return true; }
  bool end_array() { return true; }

  bool key(std::string& key) {
    key_ = key;
    std::string full;
    for (std::size_t i = 1; i < path_.size(); ++i) full += path_[i] + ".";
    full += key;
    // The parser has just taken the closing quote.
    const TextPosition position = position_at(text_, opening_quote(text_, *count_ - 1));
    if (!positions.emplace(full, position).second && path_.size() <= 2) {
      throw Error(ExitCode::kConfiguration,
                  fmt::format("{}:{}:{}: {}: given twice; keep one", name_, position.line,
                              position.column, full));
    }
    return true;
  }

  bool parse_error(std::size_t offset, const std::string&, const Json::exception& e) {
    std::string reason = e.what();
    const TextPosition position =
        position_at(text_, error_start(text_, offset == 0 ? 0 : offset - 1, reason));
    if (const auto at = reason.find(": "); at != std::string::npos) reason.erase(0, at + 2);
    throw Error(ExitCode::kConfiguration, fmt::format("{}:{}:{}: not valid JSON: {}", name_,
                                                      position.line, position.column, reason));
  }

 private:
  const std::string& text_;
  std::string name_;
  const std::size_t* count_;
  std::string key_;
  std::vector<std::string> path_;
};

}  // namespace

PositionedJson parse_positioned_json(const std::string& text, const std::string& name) {
  std::size_t count = 0;
  KeyRecorder recorder(text, name, &count);
  const char* begin = text.data();
  const CountingIterator first(begin, &count);
  const CountingIterator last(begin + text.size(), &count);
  Json::sax_parse(first, last, &recorder, Json::input_format_t::json, /*strict=*/true,
                  /*ignore_comments=*/true);
  PositionedJson result;
  result.value = Json::parse(text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  result.positions = std::move(recorder.positions);
  return result;
}

}  // namespace tcrops
