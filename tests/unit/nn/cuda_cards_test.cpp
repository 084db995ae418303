#include "cuda_cards.hpp"

#include "catch_all.hpp"

#include <cstdlib>

using namespace tcrops::nn;

namespace {

// Sets CUDA_VISIBLE_DEVICES while it lives, then takes it away.
struct Visible {
  explicit Visible(const char* value) { ::setenv("CUDA_VISIBLE_DEVICES", value, 1); }
  ~Visible() { ::unsetenv("CUDA_VISIBLE_DEVICES"); }
};

}  // namespace

TEST_CASE("CUDA_VISIBLE_DEVICES names cards in its own order") {
  using Cards = std::vector<int>;
  CHECK(listed_cards("0") == Cards{0});
  CHECK(listed_cards("3,0, 1") == Cards{3, 0, 1});
}

TEST_CASE("CUDA_VISIBLE_DEVICES ends at the first entry that is no card") {
  using Cards = std::vector<int>;
  for (const std::string_view none : {"", " ", "-1", "-1,0", ",0", "NoDevFiles", "99999999999"}) {
    INFO(none);
    CHECK(listed_cards(none) == Cards{});
  }
  CHECK(listed_cards("2,-1,0") == Cards{2});
  CHECK(listed_cards("2,") == Cards{2});
}

TEST_CASE("cards named by identifier are not told apart") {
  CHECK_FALSE(listed_cards("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6").has_value());
  CHECK_FALSE(listed_cards("0,MIG-1").has_value());
}

TEST_CASE("a card that the environment hides is not visible") {
  for (const char* none : {"", "-1"}) {
    const Visible hidden(none);
    CHECK_FALSE(card_visible());
    CHECK(card_family(0) == "unknown");
  }
  const Visible one("0");
  CHECK(card_family(1) == "unknown");
}
