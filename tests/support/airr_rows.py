"""Large AIRR tables of cells with two chains each, whose rows stand far apart; standard library only."""

import random

COLUMNS = ("sequence_id", "sequence", "rev_comp", "productive", "v_call", "d_call", "j_call", "sequence_alignment",
           "germline_alignment", "junction", "junction_aa", "v_cigar", "d_cigar", "j_cigar", "locus", "cell_id",
           "umi_count")
GENES = {"TRA": (("TRAV27*01", "TRAV24*01", "TRAV12-2*01", "TRAV29/DV5*01"), ("TRAJ42*01", "TRAJ49*01", "TRAJ23*01")),
         "TRB": (("TRBV19*01", "TRBV6-5*01", "TRBV7-9*01", "TRBV20-1*01"), ("TRBJ2-7*01", "TRBJ1-2*01", "TRBJ2-1*01"))}
STEPS = {"TRA": 7_368_787, "TRB": 15_485_863}  # primes, so that each cell comes once
PIECES = 1 << 12
BLOCK = 1 << 14


def write(path, rows, read_length=60):
    """`rows` rows (an even number, of half as many cells), each of about 80 bytes and a read; always the same."""
    maker = random.Random(1)
    pieces = ["".join(maker.choices("ADEGILNPQRSTVY", k=4)) for _ in range(PIECES)]
    reads = ["".join(maker.choices("ACGT", k=read_length)) for _ in range(PIECES)]
    cells = rows // 2
    with open(path, "w", encoding="ascii") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for begin in range(0, cells, BLOCK):
            lines = []
            for i in range(begin, min(begin + BLOCK, cells)):
                for locus, (v_genes, j_genes) in GENES.items():
                    cell = i * STEPS[locus] % cells
                    mixed = cell * 2654435761 & 0xFFFFFFFF  # Knuth's multiplicative hash
                    cdr3 = f"CA{pieces[mixed & 4095]}{pieces[mixed >> 12 & 4095]}F"
                    lines.append(f"s{i}{locus}\t{reads[mixed >> 20]}\tF\tT\t{v_genes[mixed >> 8 & 3]}\t\t"
                                 f"{j_genes[mixed % 3]}\t\t\t\t{cdr3}\t\t\t\t{locus}\tCELL{cell:08}-1\t{mixed & 7}\n")
            file.write("".join(lines))
