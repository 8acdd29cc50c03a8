#include "firmware/scan/enhance.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

namespace pf::firmware::scan {

namespace {

void shape(LumaFrame& frame, int width, int height) {
    frame.width = width;
    frame.height = height;
    frame.stride = width;
    frame.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
}

/// Means of squares of 2 * radius + 1 pixels, cut off at the frame's border. Rows in order from 0,
/// and in each row columns in order from 0: every pixel is added once and taken away once.
class ColumnSums {
public:
    ColumnSums(const LumaFrame& frame, int radius)
        : frame_(frame), radius_(radius), sums_(static_cast<std::size_t>(frame.width), 0) {
        for (int y = 0; y < std::min(radius, frame.height); ++y) add(y, 1);
    }

    void move_to(int y) {
        if (y + radius_ < frame_.height) add(y + radius_, 1);
        if (y - radius_ > 0) add(y - radius_ - 1, -1);
        rows_ = std::min(y + radius_, frame_.height - 1) - std::max(y - radius_, 0) + 1;
        window_ = 0;
        for (int x = 0; x < std::min(radius_, frame_.width); ++x) window_ += at(x);
    }

    float mean_at(int x) {
        if (x + radius_ < frame_.width) window_ += at(x + radius_);
        if (x - radius_ > 0) window_ -= at(x - radius_ - 1);
        const int columns = std::min(x + radius_, frame_.width - 1) - std::max(x - radius_, 0) + 1;
        return static_cast<float>(window_) / static_cast<float>(columns * rows_);
    }

private:
    int at(int x) const { return sums_[static_cast<std::size_t>(x)]; }
    void add(int y, int sign) {
        const Byte* row = frame_.row(y);
        for (std::size_t x = 0; x < sums_.size(); ++x) sums_[x] += sign * row[x];
    }

    const LumaFrame& frame_;
    int radius_;
    std::vector<int> sums_;  // a column's pixels in the rows of the square
    int window_ = 0;
    int rows_ = 0;
};

/// How much brightness changes in a cell: differences of neighbours beyond what noise makes.
std::int64_t activity(const LumaFrame& frame, int left, int top, int side) {
    constexpr int noise = 24;  // grey levels
    std::int64_t sum = 0;
    for (int y = top; y + 1 < top + side; y += 2) {
        const Byte* row = frame.row(y);
        const Byte* below = frame.row(y + 1);
        for (int x = left; x + 1 < left + side; ++x) {
            const int across = std::abs(row[x + 1] - row[x]);
            const int down = std::abs(below[x] - row[x]);
            sum += std::max(across - noise, 0) + std::max(down - noise, 0);
        }
    }
    return sum;
}

}  // namespace

void invert(LumaFrame& frame) {
    for (Byte& pixel : frame.pixels) pixel = static_cast<Byte>(255 - pixel);
}

void pass_band(const LumaFrame& frame, const Band& band, LumaFrame& into) {
    shape(into, frame.width, frame.height);
    if (frame.width < 1 || frame.height < 1) return;
    ColumnSums fine{frame, band.fine_px};
    ColumnSums coarse{frame, band.coarse_px};
    const auto gain = static_cast<float>(band.gain);
    for (int y = 0; y < frame.height; ++y) {
        fine.move_to(y);
        coarse.move_to(y);
        Byte* to = into.row(y);
        for (int x = 0; x < frame.width; ++x) {
            const float mean = fine.mean_at(x);
            const float value = mean + gain * (mean - coarse.mean_at(x));
            to[x] = static_cast<Byte>(std::clamp(value, 0.0F, 255.0F));
        }
    }
}

Window busiest_window(const LumaFrame& frame) {
    constexpr int cell_px = 16;
    const int columns = frame.width / cell_px;
    const int rows = frame.height / cell_px;
    if (columns < 2 || rows < 2) return {0, 0, frame.width, frame.height};
    // sums[r][c]: how much happens above and left of cell (r, c); a window is four of them.
    const auto stride = static_cast<std::size_t>(columns) + 1;
    std::vector<std::int64_t> sums(stride * (static_cast<std::size_t>(rows) + 1), 0);
    for (int row = 0; row < rows; ++row) {
        std::int64_t in_row = 0;
        for (int column = 0; column < columns; ++column) {
            in_row += activity(frame, column * cell_px, row * cell_px, cell_px);
            const std::size_t at =
                static_cast<std::size_t>(row + 1) * stride + static_cast<std::size_t>(column) + 1;
            sums[at] = sums[at - stride] + in_row;
        }
    }
    const int wide = (columns + 1) / 2;
    const int high = (rows + 1) / 2;
    const auto sum = [&](int column, int row) {
        return sums[static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(column)];
    };
    // From the middle outwards would be fairer to a tie; there is none in a picture with a code.
    std::int64_t most = -1;
    Window best;
    for (int row = 0; row + high <= rows; ++row) {
        for (int column = 0; column + wide <= columns; ++column) {
            const std::int64_t here = sum(column + wide, row + high) - sum(column, row + high) -
                                      sum(column + wide, row) + sum(column, row);
            if (here <= most) continue;
            most = here;
            best = {column * cell_px, row * cell_px, wide * cell_px, high * cell_px};
        }
    }
    return best;
}

void enlarge(const LumaFrame& frame, const Window& window, LumaFrame& into) {
    shape(into, 2 * window.width, 2 * window.height);
    const auto clamped = [](int value, int length) { return std::clamp(value, 0, length - 1); };
    for (int y = 0; y < into.height; ++y) {
        // Between pixel centres: a quarter of the way to the neighbour on this side.
        const int near_y = window.top + y / 2;
        const Byte* near_row = frame.row(clamped(near_y, frame.height));
        const Byte* far_row = frame.row(clamped(near_y + (y % 2 == 0 ? -1 : 1), frame.height));
        Byte* to = into.row(y);
        for (int x = 0; x < into.width; ++x) {
            const int near_x = clamped(window.left + x / 2, frame.width);
            const int far_x = clamped(near_x + (x % 2 == 0 ? -1 : 1), frame.width);
            const int sum =
                9 * near_row[near_x] + 3 * near_row[far_x] + 3 * far_row[near_x] + far_row[far_x];
            to[x] = static_cast<Byte>((sum + 8) / 16);
        }
    }
}

}  // namespace pf::firmware::scan
