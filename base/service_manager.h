#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/asio.h"

namespace base {

/// Tells the service manager that started this program how it is doing (sd_notify(3), systemd's Type=notify). Without a
/// service manager, that is without NOTIFY_SOCKET in the environment, nothing happens. That nobody listens is not an
/// error: the program's work does not depend on it.
class ServiceManager {
 public:
  /// Takes the watchdog's variables out of the environment; to be made while there is only one thread.
  explicit ServiceManager(asio::any_io_executor executor);
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// The program does its work now.
  void ready() const;
  /// What it is doing, in a few words: `systemctl status` shows them.
  void status(std::string_view text) const;
  /// It reads its configuration anew, until it is ready again (RELOADING=1 of sd_notify(3)).
  void reloading() const;
  /// It is about to end. The last word: NOTIFY_SOCKET is taken out of the environment, too.
  void stopping() const;

  /// Half of the time after which the service manager takes a silent program for dead; nothing when it does not watch.
  std::optional<Milliseconds> watchdog_interval() const noexcept { return watchdog_interval_; }
  /// Gives a sign of life at that interval until it is cancelled. It runs where the program's work runs, so that a
  /// stuck event loop gives none. Ends at once when nobody watches.
  Awaitable<void> keep_alive();

 private:
  asio::any_io_executor executor_;
  std::optional<Milliseconds> watchdog_interval_;
};

}  // namespace base
