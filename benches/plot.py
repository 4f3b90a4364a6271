"""The figure of size against speed that curve.py and audio_curve.py draw of their tables."""

import matplotlib

COLORS = ("#c1272d", "#3066be", "#2e8b57", "#888888", "#c58b1b")


def curves(points, path, speed, size, title=None):
    """Draws points (family, name, size, speed to compress, speed to decompress) into an SVG file; `speed`, with a {} for what is
    done, and `size` name the axes. The first family is the program."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "curve", "font.size": 9})
    from matplotlib import pyplot

    figure, both = pyplot.subplots(1, 2, figsize=(9.6, 4.6), sharey=True, layout="constrained")
    families = list(dict.fromkeys(point[0] for point in points))
    for axes, column, what in zip(both, (3, 4), ("compress", "decompress"), strict=True):
        for family, color in zip(families, COLORS, strict=False):
            own = family == families[0]
            of = [point for point in points if point[0] == family]
            x, y = [point[column] for point in of], [point[2] for point in of]
            axes.plot(x, y, "o-", color=color, label=family, lw=2.2 if own else 1.2, ms=5.5 if own else 3.5, zorder=3 if own else 2)
            for point in of:
                # Ours are below all others, so their names are, too.
                place = {"xytext": (-4, -9), "ha": "right"} if own else {"xytext": (4, 4)}
                axes.annotate(point[1], (point[column], point[2]), textcoords="offset points", fontsize=7, color=color, **place)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel(speed.format(what))
        axes.grid(True, which="major", lw=0.4, color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
    both[0].set_ylabel(size)
    both[0].legend(frameon=False)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, metadata={"Date": None})
