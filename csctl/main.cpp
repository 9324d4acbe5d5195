#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "base/log.h"
#include "csctl/program.h"

int main(int argc, char** argv) {
  // The TPM stack prints what its callers get as errors anyway.
  static_cast<void>(::setenv("TSS2_LOG", "all+NONE", 0));
  base::log::start(base::log::Level::kError);  // what an answer is made of is said in the answer
  csctl::Screen screen = csctl::Screen::of_standard_output();
  const csctl::ExitCode code = csctl::run(argc, argv, screen, std::cerr);
  errno = 0;
  std::cout.flush();
  if (std::cout) return static_cast<int>(code);
  std::cerr << "csctl: writing standard output failed" << (errno != 0 ? std::string(": ") + std::strerror(errno) : "")
            << '\n';
  return static_cast<int>(csctl::ExitCode::kCannotTell);
}
