#pragma once

namespace csctl {

/// What a question was answered with.
enum class ExitCode {
  kYes = 0,        ///< it holds, it was done, here it is
  kNo = 1,         ///< it does not hold
  kWrongUse = 2,   ///< the command line asks for nothing that there is
  kCannotTell = 3  ///< it could not be found out: what was handed over can't be read, or nobody answers
};

}  // namespace csctl
