#include "launcher/container/stop_signal.h"

#include <csignal>

#include "tests/unit/catch.h"

using launcher::parse_stop_signal;

TEST_CASE("a stop signal is a number or a name") {
  CHECK(parse_stop_signal("15") == SIGTERM);
  CHECK(parse_stop_signal("SIGTERM") == SIGTERM);
  CHECK(parse_stop_signal("quit") == SIGQUIT);
  CHECK(parse_stop_signal("SigInt") == SIGINT);
  CHECK(parse_stop_signal("SIGWINCH") == SIGWINCH);
  CHECK(parse_stop_signal("SIGXFSZ") == SIGXFSZ);
  CHECK(parse_stop_signal("SIGKILL") == SIGKILL);
}

TEST_CASE("real-time signals are counted from either end") {
  CHECK(parse_stop_signal("SIGRTMIN") == 34);
  CHECK(parse_stop_signal("SIGRTMIN+3") == 37);  // systemd in a container
  CHECK(parse_stop_signal("RTMAX-1") == 63);
  CHECK(parse_stop_signal("64") == 64);
  for (const char* text : {"SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMIN+31", "SIGRTMIN+", "SIGRTMIN+x", "SIGRTMID"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_stop_signal(text));
  }
}

TEST_CASE("what is no signal is none") {
  for (const char* text : {"", "0", "65", "-15", "15 ", "SIG", "SIGNOTHING", "TERM ", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_stop_signal(text));
  }
}
