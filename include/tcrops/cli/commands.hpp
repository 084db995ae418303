#pragma once

namespace tcrops::cli {

// Parses the command line and runs the command. Returns the exit status (tcrops::ExitCode); throws
// Error for what ends the command.
int run(int argc, char** argv);

}  // namespace tcrops::cli
