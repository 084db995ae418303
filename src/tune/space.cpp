#include <tcrops/core/error.hpp>
#include <tcrops/tune/space.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tcrops::tune {
namespace {

// Beyond this a double no longer holds every integer.
constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;
constexpr double kMostSteps = 1e9;

[[noreturn]] void refuse(const Parameter& parameter, const std::string& what) {
  throw Error(ExitCode::kConfiguration,
              fmt::format("search space, parameter \"{}\": {}", parameter.name, what));
}

std::string text_of(const Value& value) {
  return std::visit([](const auto& held) { return Json(held).dump(); }, value);
}

// 1 and 1.0 are one value.
bool same(const Value& a, const Value& b) {
  const auto number = [](const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    const auto* real = std::get_if<double>(&value);
    return real == nullptr ? std::nan("") : *real;
  };
  return a == b || number(a) == number(b);
}

bool holds(const std::vector<Value>& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void refuse_repeated(const Parameter& parameter, const std::vector<Value>& values,
                     const char* what) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!same(values[i], values[j])) continue;
      refuse(parameter, fmt::format("{} {} occurs twice; remove one", what, text_of(values[i])));
    }
  }
}

struct DomainCheck {
  const Parameter& parameter;

  void operator()(const FloatRange& range) const {
    if (!std::isfinite(range.low) || !std::isfinite(range.high) ||
        !std::isfinite(range.high - range.low)) {
      refuse(parameter, "the bounds and their distance must be finite numbers");
    }
    if (range.low > range.high) {
      refuse(parameter,
             fmt::format("the range is empty: low {} is above high {}", range.low, range.high));
    }
    if (range.log && range.low <= 0.0) {
      refuse(parameter, fmt::format("a log range must lie above 0, but low is {}", range.low));
    }
    if (!(range.step >= 0.0 && std::isfinite(range.step))) {
      refuse(parameter, fmt::format("the step must not be below 0, but is {}", range.step));
    }
    if (range.step > 0.0 && range.log) {
      refuse(parameter, "a log range takes no step; drop one of the two");
    }
    if (range.step > 0.0 && (range.high - range.low) / range.step > kMostSteps) {
      refuse(parameter, fmt::format("the step {} is too fine for the range", range.step));
    }
  }
  void operator()(const IntegerRange& range) const {
    if (range.low > range.high) {
      refuse(parameter,
             fmt::format("the range is empty: low {} is above high {}", range.low, range.high));
    }
    if (range.low < -kLargestInteger || range.high > kLargestInteger) {
      refuse(parameter, "the bounds must lie within -2^53 and 2^53");
    }
    if (range.step < 1) {
      refuse(parameter, fmt::format("the step must be at least 1, but is {}", range.step));
    }
    if (range.log && range.low < 1) {
      refuse(parameter,
             fmt::format("a log range of integers starts at 1 or above, but low is {}", range.low));
    }
    if (range.log && range.step != 1) {
      refuse(parameter, "a log range takes no step; drop one of the two");
    }
  }
  void operator()(const Choice& choice) const {
    if (choice.options.empty()) refuse(parameter, "it has no option; give at least one");
    for (const Value& option : choice.options) {
      const auto* number = std::get_if<double>(&option);
      if (number != nullptr && !std::isfinite(*number)) {
        refuse(parameter, "a number among its options is not finite");
      }
    }
    refuse_repeated(parameter, choice.options, "the option");
  }
};

void check_condition(const Space& space, std::size_t place) {
  const Parameter& parameter = space[place];
  const Condition& when = *parameter.when;
  const auto end = space.begin() + static_cast<std::ptrdiff_t>(place);
  const auto parent = std::find_if(
      space.begin(), end, [&](const Parameter& each) { return each.name == when.parameter; });
  if (parent == end) {
    refuse(parameter,
           fmt::format("it depends on \"{}\", which is no parameter before it", when.parameter));
  }
  const auto* choice = std::get_if<Choice>(&parent->domain);
  if (choice == nullptr) {
    refuse(parameter, fmt::format("it depends on \"{}\", which is not a choice", when.parameter));
  }
  if (when.values.empty()) {
    refuse(parameter, fmt::format("it depends on \"{}\", but on no value of it; give at least one",
                                  when.parameter));
  }
  for (const Value& value : when.values) {
    if (holds(choice->options, value)) continue;
    refuse(parameter, fmt::format("it depends on {}, which is not an option of \"{}\"",
                                  text_of(value), when.parameter));
  }
  refuse_repeated(parameter, when.values, "in its condition");
}

}  // namespace

bool is_active(const Parameter& parameter, const Point& point) {
  if (!parameter.when) return true;
  const auto found = point.find(parameter.when->parameter);
  return found != point.end() && holds(parameter.when->values, found->second);
}

void check_space(const Space& space) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < space.size(); ++i) {
    const Parameter& parameter = space[i];
    if (!names.insert(parameter.name).second) refuse(parameter, "the name occurs twice");
    std::visit(DomainCheck{parameter}, parameter.domain);
    if (parameter.when) check_condition(space, i);
  }
}

}  // namespace tcrops::tune
