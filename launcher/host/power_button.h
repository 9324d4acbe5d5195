#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/asio.h"
#include "base/file.h"

struct input_event;

namespace launcher {

/// Devices that are listened to, at the most; a machine has one button, and a keyboard may have another.
inline constexpr std::size_t kMaxPowerButtons = 16;

/// Whether an event is the press of a power button, and neither its release nor its repetition while it is held
/// (linux/input.h, KEY_POWER and KEY_POWER2).
bool is_press(const input_event& event);

/// The machine's devices in `folder`, event0 and so on, that have such a key and that the launcher may read.
std::vector<base::FileDescriptor> find_power_buttons(const std::filesystem::path& folder);

/// Calls `on_press` when `device` is pressed, once. Returns without it when the device is taken away.
base::Awaitable<void> heed(base::FileDescriptor device, std::function<void()> on_press);

}  // namespace launcher
