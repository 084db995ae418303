#include "tokens.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

namespace tcrops::serve {
namespace {

constexpr std::size_t kDigits = 64;
constexpr std::string_view kScheme = "bearer ";
constexpr std::string_view kBlank = " \t";
constexpr std::array<std::pair<std::string_view, Role>, 3> kRoles = {
    {{"read", Role::kRead}, {"predict", Role::kPredict}, {"promote", Role::kPromote}}};

// Looks at every letter, wherever the first difference is.
bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

// The first word of a text, which is cut off it.
std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find_first_of(kBlank));
  text = trim(text.substr(word.size()));
  return word;
}

std::optional<Roles> parse_roles(std::string_view list) {
  if (list.empty() || list == "-") return Roles{Role::kRead, Role::kPredict};
  Roles roles;
  for (const std::string& name : split(std::string(list), ',')) {
    bool known = false;
    for (const auto& [role_name, role] : kRoles) {
      if (name != role_name) continue;
      roles.add(role);
      known = true;
    }
    if (!known) return std::nullopt;
  }
  return roles;
}

}  // namespace

std::vector<std::string> Roles::names() const {
  std::vector<std::string> names;
  for (const auto& [name, role] : kRoles) {
    if (has(role)) names.emplace_back(name);
  }
  return names;
}

Tokens::Tokens(const std::string& text, const std::string& file) {
  std::size_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    std::string_view rest = trim(line);
    if (rest.empty() || rest.starts_with('#')) continue;
    std::string digest = to_lower(take_word(rest));
    if (digest.size() != kDigits ||
        digest.find_first_not_of("0123456789abcdef") != std::string::npos) {
      throw Error(ExitCode::kConfiguration,
                  fmt::format("{}:{}: no SHA-256; write the digest of a token, as `printf %s "
                              "TOKEN | sha256sum` prints it, not the token",
                              file, number));
    }
    const auto roles = parse_roles(take_word(rest));
    if (!roles) {
      throw Error(ExitCode::kConfiguration,
                  fmt::format("{}:{}: after the digest come roles, read, predict and promote with "
                              "commas between, then a name",
                              file, number));
    }
    std::string name = rest.empty() ? fmt::format("token {}", number) : std::string(rest);
    known_.push_back({std::move(digest), {std::move(name), *roles}});
  }
  if (known_.empty())
    throw Error(ExitCode::kConfiguration, fmt::format("{}: no tokens in it", file));
}

Tokens Tokens::read(const std::string& path) {
  return {read_file(path, ExitCode::kConfiguration), path};
}

Caller Tokens::caller(std::string_view authorization) const {
  if (!are_needed()) return {"", {Role::kRead, Role::kPredict}};
  if (to_lower(authorization.substr(0, kScheme.size())) != kScheme) return {};
  const std::string digest = sha256_hex(trim(authorization.substr(kScheme.size())));
  Caller caller;
  for (const Known& each : known_) {
    if (equal_in_constant_time(digest, each.digest)) caller = each.caller;
  }
  return caller;
}

}  // namespace tcrops::serve
