#include "launcher/host/power_button.h"

#include <array>
#include <fstream>

#include <fcntl.h>
#include <linux/input.h>
#include <unistd.h>

#include "base/private_directory.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

namespace {

input_event event(unsigned type, unsigned code, int value) {
  input_event made{};
  made.type = static_cast<__u16>(type);
  made.code = static_cast<__u16>(code);
  made.value = value;
  return made;
}

const input_event kPress = event(EV_KEY, KEY_POWER, 1);

/// What gives events like a device, and the other end of it. A real one is in tests/qemu/test_server.py.
struct Pipe {
  base::FileDescriptor device;
  base::FileDescriptor other;

  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    device = base::FileDescriptor(ends[0]);
    other = base::FileDescriptor(ends[1]);
  }

  void send(const input_event& event) const {
    REQUIRE(::write(other.get(), &event, sizeof(event)) == static_cast<ssize_t>(sizeof(event)));
  }
};

}  // namespace

TEST_CASE("a press is a press of a power key, not its release or repetition") {
  CHECK(launcher::is_press(kPress));
  CHECK(launcher::is_press(event(EV_KEY, KEY_POWER2, 1)));
  CHECK_FALSE(launcher::is_press(event(EV_KEY, KEY_POWER, 0)));
  CHECK_FALSE(launcher::is_press(event(EV_KEY, KEY_POWER, 2)));
  CHECK_FALSE(launcher::is_press(event(EV_KEY, KEY_SLEEP, 1)));
  CHECK_FALSE(launcher::is_press(event(EV_SW, KEY_POWER, 1)));
}

TEST_CASE("the first press is heeded, whatever came before it") {
  asio::io_context context;
  Pipe pipe;
  pipe.send(event(EV_SYN, 0, 0));
  pipe.send(event(EV_KEY, KEY_A, 1));
  pipe.send(kPress);
  pipe.send(kPress);
  int presses = 0;
  test::run(context, launcher::heed(std::move(pipe.device), [&] { ++presses; }));
  CHECK(presses == 1);
}

TEST_CASE("a device that is taken away is no press") {
  asio::io_context context;
  Pipe pipe;
  pipe.send(event(EV_KEY, KEY_POWER, 0));
  pipe.other = {};
  int presses = 0;
  test::run(context, launcher::heed(std::move(pipe.device), [&] { ++presses; }));
  CHECK(presses == 0);
}

TEST_CASE("what is no input device is no power button") {
  const base::PrivateDirectory directory("cs-test");
  std::ofstream(directory.path() / "event0");
  CHECK(launcher::find_power_buttons(directory.path()).empty());
  CHECK(launcher::find_power_buttons(directory.path() / "none").empty());
}
