#pragma once

#include <iosfwd>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// Does what the command line asks for. What can't be done is a line in `errors`.
ExitCode run(int argc, const char* const* argv, Screen& screen, std::ostream& errors);

}  // namespace csctl
