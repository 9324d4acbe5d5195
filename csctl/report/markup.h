#pragma once

#include <string>
#include <string_view>

namespace csctl {

/// Text as it may stand between tags of HTML and SVG, and in an attribute's quotes. Control characters and invalid
/// UTF-8 are shown as \xNN.
std::string escaped(std::string_view text);

/// `text` in an element: <p class="x">text</p>. The class may be left empty.
std::string element(std::string_view tag, std::string_view text, std::string_view css_class = {});

}  // namespace csctl
