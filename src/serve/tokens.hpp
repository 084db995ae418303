#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::serve {

// What somebody may do: see models, past queries and figures; have rows scored; move the champion.
enum class Role { kRead = 1, kPredict = 2, kPromote = 4 };

class Roles {
 public:
  Roles() = default;
  Roles(std::initializer_list<Role> roles) {
    for (const Role role : roles) add(role);
  }
  void add(Role role) { bits_ |= static_cast<unsigned>(role); }
  [[nodiscard]] bool has(Role role) const { return (bits_ & static_cast<unsigned>(role)) != 0; }
  // "read", "predict", "promote".
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  unsigned bits_ = 0;
};

// Who asks, as far as a token says.
struct Caller {
  std::string name;  // for logs; never the token
  Roles roles;
};

// Who may ask: the SHA-256 of bearer tokens, of which no token can be made again. Immutable.
class Tokens {
 public:
  // Nobody is asked for one.
  Tokens() = default;
  // Lines of 64 hexadecimal digits, the roles that the token has, separated by commas, and a name:
  // "9f86… read,predict core facility". Without roles, or with "-" as sha256sum writes it, read and
  // predict. Blank lines and those that begin with # say nothing. Throws Error (kConfiguration) for
  // another line, or none.
  Tokens(const std::string& text, const std::string& file);
  static Tokens read(const std::string& path);

  [[nodiscard]] bool are_needed() const { return !known_.empty(); }
  // Whoever an Authorization header is for: nobody, without a role, when it has none of the tokens.
  // Takes the same time for every wrong one. Where no token is needed anybody may read and predict.
  [[nodiscard]] Caller caller(std::string_view authorization) const;

 private:
  struct Known {
    std::string digest;
    Caller caller;
  };
  std::vector<Known> known_;
};

}  // namespace tcrops::serve
