#include "launcher/platform/platform.h"

#include "base/error.h"
#include "tests/unit/catch.h"

TEST_CASE("the region is the zone without its last part") {
  CHECK(launcher::Location{"p", "us-central1-a"}.region() == "us-central1");
  CHECK_THROWS_AS((launcher::Location{"p", "nozone"}.region()), base::InvalidInput);
  CHECK_THROWS_AS((launcher::Location{"p", ""}.region()), base::InvalidInput);
}
