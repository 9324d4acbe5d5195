#include "firewall/ruleset.h"

#include "tests/unit/catch.h"

using firewall::Protocol;

// What the ruleset makes of it is tests/integration/test_firewall.py's.
TEST_CASE("ports become elements of the image's set, in numbers") {
  CHECK(firewall::command_to_open({{Protocol::kTcp, 80}, {Protocol::kUdp, 53}}) ==
        "add element inet filter exposed_ports { 6 . 80, 17 . 53 }");
}
