#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/asio.h"

namespace launcher {

/// What the steps of a launch leave to be undone, whatever becomes of the launch. What an undoing holds lives as long
/// as this, since others may still be at work with it when it has been undone.
class CleanUp {
 public:
  using Undo = std::function<base::Awaitable<void>()>;

  /// `what` names it in the log if it fails: "removing the container".
  void add(std::string what, Undo undo);
  /// Undoes all, the newest first. A failure is logged and does not keep the others from being undone.
  base::Awaitable<void> run();

 private:
  struct Step {
    std::string what;
    Undo undo;
    bool is_undone = false;
  };
  std::vector<Step> steps_;
};

}  // namespace launcher
