#pragma once

#include "session.hpp"

namespace tcrops::cli {

// Answers the scripts of `tcrops completion`, which ask with the hidden commands
//   tcrops __complete WORD…              candidate, tab and description per line
//   tcrops __complete_line LINE BREAKS   for Bash: the part of a candidate that it puts in
// False when this command line (without the program) is something else. Prints nothing but
// candidates.
bool answer_shell(const CLI::App& app, const Session& session, int argc, char** argv);

}  // namespace tcrops::cli
