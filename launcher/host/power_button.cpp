#include "launcher/host/power_button.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/input.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/log.h"

namespace launcher {
namespace {

constexpr std::array<unsigned, 2> kKeys = {KEY_POWER, KEY_POWER2};

bool has_power_key(const base::FileDescriptor& device) {
  constexpr std::size_t kBits = sizeof(unsigned long) * CHAR_BIT;
  std::array<unsigned long, KEY_CNT / kBits> keys{};
  if (::ioctl(device.get(), EVIOCGBIT(EV_KEY, sizeof(keys)), keys.data()) < 0) return false;
  return std::ranges::any_of(kKeys, [&](unsigned key) { return (keys[key / kBits] >> (key % kBits) & 1U) != 0; });
}

enum class Reading { kPressed, kNothing, kGone };

/// The events that can be read without waiting.
Reading read_events(int device) {
  for (;;) {
    input_event event{};  // a device gives whole ones only
    const ssize_t size = ::read(device, &event, sizeof(event));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return Reading::kNothing;
    if (size != sizeof(event)) return Reading::kGone;
    if (is_press(event)) return Reading::kPressed;
  }
}

}  // namespace

bool is_press(const input_event& event) {
  return event.type == EV_KEY && event.value == 1 && std::ranges::find(kKeys, event.code) != kKeys.end();
}

std::vector<base::FileDescriptor> find_power_buttons(const std::filesystem::path& folder) {
  std::vector<base::FileDescriptor> devices;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (!entry.path().filename().native().starts_with("event")) continue;
    base::FileDescriptor device(::open(entry.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (device.get() < 0 || !has_power_key(device)) continue;
    if (devices.size() == kMaxPowerButtons) break;
    base::log::debug("power button", {{"device", entry.path().string()}});
    devices.push_back(std::move(device));
  }
  return devices;
}

base::Awaitable<void> heed(base::FileDescriptor device, std::function<void()> on_press) {
  asio::posix::stream_descriptor stream(co_await asio::this_coro::executor, device.release());
  for (;;) {
    co_await stream.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    switch (read_events(stream.native_handle())) {
      case Reading::kPressed: on_press(); co_return;
      case Reading::kGone: co_return;
      case Reading::kNothing: break;
    }
  }
}

}  // namespace launcher
