#!/bin/sh
# Two values in turn, on pairs drawn from a known distribution: toy-pair.sh OUTPUT-FOLDER. Less than a minute.
# Draws the true distribution, the pairs, a histogram for each first value (counted), a network, and pairs drawn from that.
set -eu
surprisal dataset toy -n 20000 -o "$1/toy.idx" -f
surprisal train pair --data "$1/toy.idx" --count 0.1 -o "$1/toy-tables.srm" -f
surprisal train pair --data "$1/toy.idx" --hidden 128 --steps 1500 -o "$1/toy-network.srm" -f
surprisal sample "$1/toy-network.srm" -n 20000 -o "$1/drawn.idx" -f
surprisal plane toy "$1/toy.idx" "$1/toy-tables.srm" "$1/toy-network.srm" "$1/drawn.idx" -o "$1/toy.png" -f
