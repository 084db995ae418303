#pragma once

#include <tcrops/data/record.hpp>
#include <tcrops/stages/loaded_model.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::stages {

// Checks of what a server does with a model: a table in, the same rows with their answers out. Each
// returns the first fault, empty when there is none, and throws what `answer` throws.

using AnswerRows = std::function<std::vector<Answer>(std::span<const data::Record>)>;

// The table with its answers, as a server gives it. Throws Error (kInputData) for one that cannot
// be read.
[[nodiscard]] std::string served_table(const std::string& table, const TableNeeds& needs,
                                       const AnswerRows& answer);

// Which row of a served table is not the one that `predict` wrote, byte by byte.
[[nodiscard]] std::string served_difference(const std::string& predicted,
                                            const std::string& served);

// Tables that are none, or have no row that can be right. Each must be refused, or get a problem
// in place of a score. They are made of `good`, a record that has a score.
[[nodiscard]] std::string malformed_table_fault(const data::Record& good, const TableNeeds& needs,
                                                const AnswerRows& answer);

// A record that lacks a value must get a score where the column is optional, and none where it is
// not. Of the `good`, those count that have a score when they are whole. Loops are left out: a V
// gene stands in for them.
[[nodiscard]] std::string missing_value_fault(std::span<const data::Record> good,
                                              const TableNeeds& needs, const AnswerRows& answer);

}  // namespace tcrops::stages
