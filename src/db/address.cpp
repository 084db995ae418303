#include "address.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tcrops::db {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::array<std::string_view, 2> kPostgresql = {"postgresql://", "postgres://"};
constexpr std::array<std::string_view, 2> kSecretKeys = {"password", "sslpassword"};

// The pieces of an address of PostgreSQL, as written.
struct Pieces {
  std::string scheme;  // with "://"
  std::string user;
  std::optional<std::string> password;
  bool has_user = false;
  std::string hosts;               // each with its port
  std::string name;                // with its slash, or empty
  std::vector<std::string> query;  // "key=value"
};

std::string_view scheme_of(std::string_view url) {
  for (const std::string_view scheme : kPostgresql) {
    if (url.starts_with(scheme)) return scheme;
  }
  return {};
}

std::string_view key_of(std::string_view setting) { return setting.substr(0, setting.find('=')); }

bool is_secret(std::string_view setting) {
  return std::ranges::find(kSecretKeys, key_of(setting)) != kSecretKeys.end();
}

// libpq takes the user's part to end at the first @ when that comes before any slash.
Pieces pieces_of(std::string_view url) {
  Pieces result;
  result.scheme = scheme_of(url);
  std::string_view rest = url.substr(result.scheme.size());
  const std::size_t end = rest.find_first_of("@/");
  if (end != std::string_view::npos && rest[end] == '@') {
    result.has_user = true;
    const std::string_view user = rest.substr(0, end);
    const std::size_t colon = user.find(':');
    result.user = user.substr(0, colon);
    if (colon != std::string_view::npos) result.password = user.substr(colon + 1);
    rest.remove_prefix(end + 1);
  }
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    if (mark + 1 < rest.size()) result.query = split(rest.substr(mark + 1), '&');
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  result.hosts = rest.substr(0, slash);
  result.name = rest.substr(slash);
  return result;
}

std::string joined(const Pieces& pieces, bool secrets) {
  std::string result = pieces.scheme + pieces.user;
  if (secrets && pieces.password) result += ':' + *pieces.password;
  if (pieces.has_user) result += '@';
  result += pieces.hosts + pieces.name;
  char mark = '?';
  for (const std::string& setting : pieces.query) {
    if (!secrets && is_secret(setting)) continue;
    result += mark + setting;
    mark = '&';
  }
  return result;
}

bool has_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return true;
  if (bracket != std::string_view::npos && colon < bracket) return true;
  const std::string_view port = host.substr(colon + 1);
  return port.empty() || parse_integer(port).has_value();
}

std::string decoded(std::string_view text) {
  const auto digit = [](char c) {
    const std::string_view digits = "0123456789abcdef";
    return digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size();
    const std::size_t high = escaped ? digit(text[i + 1]) : std::string_view::npos;
    const std::size_t low = escaped ? digit(text[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos) {
      result += text[i];
    } else {
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ExitCode::kConfiguration,
              "the address of a database " + why +
                  "; write sqlite:PATH or postgresql://[user[:password]@][host][:port][/name]"
                  "[?key=value&…], with %XX for an odd character of user or password (%40 for @, "
                  "%2F for /)");
}

void check(const Pieces& pieces, std::string_view url) {
  if (url.find_first_of(" \t\r\n") != std::string_view::npos) refuse("has a blank in it");
  for (const std::string& host : split(pieces.hosts, ',')) {
    if (!has_port(host)) refuse("has a port that is no number");
  }
  for (const std::string& setting : pieces.query) {
    const auto equals = std::ranges::count(setting, '=');
    if (equals != 1 || setting.front() == '=') refuse("has something other than key=value after ?");
  }
}

}  // namespace

bool Address::is_postgresql() const { return !scheme_of(url).empty(); }

std::string Address::shown() const { return is_postgresql() ? joined(pieces_of(url), false) : url; }

Address address(const std::string& url) {
  const Address result{url};
  if (url.find('\0') != std::string::npos) refuse("has a zero byte in it");
  if (result.is_postgresql()) {
    check(pieces_of(url), url);
  } else if (!url.starts_with(kSqlite)) {
    refuse("is neither SQLite's nor PostgreSQL's");
  } else if (url.size() == kSqlite.size()) {
    refuse("names no file");
  }
  return result;
}

// SQLite gives other meanings to some names that are no path of a file: ":memory:", "file:…".
std::string sqlite_path(const Address& address) {
  const std::string path = address.url.substr(kSqlite.size());
  return path.front() == '/' ? path : "./" + path;
}

std::string with_defaults(const Address& address,
                          std::initializer_list<std::string_view> settings) {
  Pieces pieces = pieces_of(address.url);
  for (const std::string_view setting : settings) {
    const bool given = std::ranges::any_of(
        pieces.query, [&](const std::string& each) { return key_of(each) == key_of(setting); });
    if (!given) pieces.query.emplace_back(setting);
  }
  return joined(pieces, true);
}

std::string without_passwords(const Address& address, std::string text) {
  if (!address.is_postgresql()) return text;
  const Pieces pieces = pieces_of(address.url);
  std::vector<std::string> secrets = {pieces.password.value_or("")};
  for (const std::string& setting : pieces.query) {
    if (is_secret(setting)) secrets.push_back(setting.substr(key_of(setting).size() + 1));
  }
  for (const std::string& secret : secrets) {
    for (const std::string& spelling : {secret, decoded(secret)}) {
      if (spelling.empty()) continue;
      for (std::size_t at = 0; (at = text.find(spelling, at)) != std::string::npos; at += 3) {
        text.replace(at, spelling.size(), "***");
      }
    }
  }
  return text;
}

}  // namespace tcrops::db
