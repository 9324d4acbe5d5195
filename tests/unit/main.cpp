#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include <cstdlib>

#include "tests/unit/catch.h"

int main(int argc, char** argv) {
  // As in the programs: what the TPM stack prints, its callers get as errors.
  static_cast<void>(::setenv("TSS2_LOG", "all+NONE", 0));
  return Catch::Session().run(argc, argv);
}
