"""Good small inputs of every kind that a collection is made of: each is a folder of files, made here."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fuzz_mutations import Files
from PIL import Image

BARCODE = "ACGTTGCAACGTACCATGACGTTGCAACGTACCATGACGTTGCAACGTACCATG"
RANKS = {
    "kingdom": "Animalia",
    "phylum": "Arthropoda",
    "class": "Copepoda",
    "order": "Calanoida",
    "family": "Calanidae",
    "genus": "Calanus",
    "species": "Calanus finmarchicus",
}
LINEAGE = "_".join(["02912", *list(RANKS.values())[:6], "finmarchicus"])


def picture(kind: str = "PNG", *, mode: str = "L", number: int = 1, **options: Any) -> bytes:
    """Returns an encoded image of 8 x 6 pixels."""
    shape = (6, 8) if mode in ("L", "P", "I;16") else (6, 8, len(mode))
    pixels = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    image = Image.fromarray(pixels.astype(np.uint16) * 16 if mode == "I;16" else pixels)
    if mode in ("P", "CMYK"):
        image = Image.fromarray(pixels if mode == "P" else pixels[..., :3]).convert(mode)
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


def pictures() -> list[Files]:
    """One image an input, of all kinds that are read."""
    exif = Image.Exif()
    exif[0x0112], exif[306] = 6, "2020:01:02 03:04:05"
    made = [
        picture(),
        picture(mode="RGB"),
        picture(mode="RGBA"),
        picture(mode="I;16"),
        picture(mode="P", transparency=0),
        picture(mode="RGB", exif=exif),
        picture("JPEG"),
        picture("JPEG", mode="RGB"),
        picture("JPEG", mode="CMYK"),
        picture("JPEG", mode="RGB", exif=exif, progressive=True),
        picture("TIFF"),
        picture("TIFF", mode="I;16"),
        picture("TIFF", mode="RGB", compression="tiff_lzw"),
        picture("TIFF", mode="RGB", compression="jpeg"),
        picture("TIFF", compression="tiff_adobe_deflate"),
        picture("GIF"),
        picture("BMP"),
        picture("BMP", mode="RGB"),
        picture("WEBP", mode="RGB"),
        picture("WEBP", mode="RGBA", lossless=True),
        picture("PPM"),
        picture("PPM", mode="RGB"),
        picture("JPEG2000", mode="RGB"),
    ]
    return [{"x": content} for content in made]


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Returns a plain tar."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return held.getvalue()


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Returns a zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return held.getvalue()


def archives() -> list[Files]:
    """Archives of images, one in another."""
    import bz2
    import gzip
    import lzma

    held = {"copepod/1.png": picture(), "egg/2.jpg": picture("JPEG"), "notes.txt": b"net 2"}
    inner = {
        "in.zip": zip_of(held),
        "in.tar": tar_of(held),
        "a/in.tgz": gzip.compress(tar_of(held)),
    }
    return [
        {"x.zip": zip_of(held)},
        {"x.zip": zip_of(held, zipfile.ZIP_STORED)},
        {"x.zip": zip_of(held, zipfile.ZIP_LZMA)},
        {"x.zip": zip_of(held, zipfile.ZIP_BZIP2)},
        {"x.tar": tar_of(held)},
        {"x.tar.gz": gzip.compress(tar_of(held))},
        {"x.tar.bz2": bz2.compress(tar_of(held))},
        {"x.tar.xz": lzma.compress(tar_of(held))},
        {"x.zip": zip_of(inner)},
        {"x.tar": tar_of(inner)},
    ]


def table(*rows: Mapping[str, Any], delimiter: str = ",", header: Sequence[str] = ()) -> bytes:
    """Returns a table with a header."""
    held = io.StringIO()
    names = header or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(held, names, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue().encode()


def parquet(*rows: Mapping[str, Any], **about: str) -> bytes:
    """Returns a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = io.BytesIO()
    made = pa.Table.from_pylist([dict(row) for row in rows])
    pq.write_table(made.replace_schema_metadata(about or None), held)
    return held.getvalue()


def json_of(value: Any) -> bytes:
    """Returns JSON."""
    return json.dumps(value).encode()


def image_folders() -> list[Files]:
    """Class folders."""
    return [
        {"in/copepod/1.png": picture(), "in/egg_Calanus/2.jpg": picture("JPEG"), "in/n.txt": b"x"},
        {"in.zip": archives()[0]["x.zip"]},
    ]


def tables() -> list[Files]:
    """Tables of records."""
    row = {
        "record_id": "a",
        "image": "a.png",
        **RANKS,
        "barcode": BARCODE,
        "latitude_deg": "43.5",
        "longitude_deg": "-7,5",
        "depth_min_m": "5",
        "collected_on": "2014-04-20T08:12:00",
        "pixel_size_um": "10.6",
        "written_label": "Calanus",
        "licence": "CC-BY-4.0",
        "country": "Peru",
    }
    other = {**row, "record_id": "b", "image": "", "depth_min_m": "99999"}
    return [
        {"t.csv": table(row, other), "a.png": picture()},
        {"t.tsv": table(row, other, delimiter="\t"), "a.png": picture()},
        {"t.csv": table(row, other, delimiter=";"), "a.png": picture()},
        {"t.parquet": parquet(row, other), "a.png": picture()},
    ]


def ecotaxa() -> list[Files]:
    """EcoTaxa tables beside images, and in a zip."""
    cells = {
        "img_file_name": "1.png",
        "object_id": "o1",
        "object_lat": "43°30 0",
        "object_lon": "-7,5",
        "object_date": "20140420",
        "object_time": "81200",
        "object_depth_min": "5",
        "object_depth_max": "20.5",
        "object_annotation_status": "V",
        "object_annotation_category": "other<Biota",
        "object_annotation_category_id": "85011.0",
        "object_annotation_hierarchy": "Biota>other",
        "sample_id": "s1",
        "sample_tot_vol": "124.5",
        "acq_id": "a1",
        "acq_instrument": "zooscan",
        "acq_sub_part": "8",
        "process_particle_pixel_size_mm": "0.0106",
        "object_%area": "0.1",
    }
    lines = [list(cells), ["[t]"] * len(cells), list(cells.values())]
    content = "\n".join("\t".join(line) for line in lines).encode()
    held = {"ecotaxa_a.tsv": content, "1.png": picture()}
    return [{f"in/{name}": one for name, one in held.items()}, {"in.zip": zip_of(held)}]


NEW_BIN, OLD_BIN = "D20220522T000439_IFCB134", "IFCB5_2012_028_081515"


def ifcb() -> list[Files]:
    """IFCB bins of both generations, with class files."""
    import h5py
    from scipy.io import savemat

    form = (
        "trigger#, ADCtime, PMTA, RoiX, RoiY, RoiWidth, RoiHeight, StartByte, S, RunTime"
        ", InhibitTime, More"
    )
    header = f"sampleType: Normal\nrunTime: 601.0\ninhibitTime: 1.0\nADCFileFormat: {form}\n"
    rows = (
        "1,0.1,0.5,0,0,0,0,0,0,0.12,0.2,9\n2,9.1,0.5,10,20,3,2,0,0,9.12,0.4,9\n"
        "3,600.9,0.5,10,20,2,2,6,0,600.92,0.6,9\n"
    )
    old = "".join(f"{n},0,0,0,0,0,0,0,0,1,2,3,2,{6 * n},0.1\n" for n in range(2))
    new = {
        f"in/{NEW_BIN}.hdr": header.encode(),
        f"in/{NEW_BIN}.adc": rows.encode(),
        f"in/{NEW_BIN}.roi": bytes(range(10)),
    }
    classes, second, manual = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with h5py.File(classes, "w") as file:
        file["roi_numbers"] = [2, 3]
        file["class_labels"] = ["Ciliophora", "Dinobryon"]
        file["output_scores"] = [[0.9, 0.1], [0.4, 0.6]]
        file["classifier_name"] = ["V5"]
        file["thresholds"] = [0.5, 0.7]
    with h5py.File(second, "w") as file:
        file["roi_numbers"] = [2, 3]
        file["scores"] = [[0.9, 0.1], [0.4, 0.6]]
        file["scores"].attrs["class_labels"] = [b"Ciliophora", b"Dinobryon"]
    names = np.array([["unclassified"], ["Dinobryon"]], dtype=object)
    nan = float("nan")
    classlist = np.array([[1, nan, nan], [2, 2, nan], [3, 1, nan]])
    savemat(manual, {"class2use_manual": names, "classlist": classlist})
    named = b"file_name,class_name,score\n" + f"{NEW_BIN}_00002.png,Nauplius,1\n".encode()
    return [
        new,
        {
            f"in/{OLD_BIN}.hdr": b"Temperature: 5\n",
            f"in/{OLD_BIN}.adc": old.encode(),
            f"in/{OLD_BIN}.roi": bytes(12),
        },
        {**new, f"in/{NEW_BIN}_class.h5": classes.getvalue()},
        {**new, f"in/{NEW_BIN}_class_v2.h5": second.getvalue()},
        {**new, f"in/{NEW_BIN}.mat": manual.getvalue()},
        {**new, f"in/{NEW_BIN}.csv": named},
        {**new, f"in/manual/{NEW_BIN}.csv": b"roi,class\n2,Dinobryon\n"},
        {"in.zip": zip_of({name.removeprefix("in/"): content for name, content in new.items()})},
    ]


def zooprocess() -> list[Files]:
    """A ZooProcess scan."""
    scan = "bay22_st5_n1_d2_1"
    head = (
        "PID\n[Image]\nScanning_date= 20220401_1130\n[Info]\n"
        "Hardware=  Hydroptic_V3\nResolution=  2400\n[Sample]\n"
        "SampleId= bay22_st5_n1\nStationId= 5\nDate= 20220305-0640\nLatitude= 47.3060\nLongitude= 8.1500\n"
        "Depth= 99999\nZmax= 60\nZmin= 20\nVol= 80.25\n[Fraction]\nFracId= d2\n[Subsample]\nSubPart= 2\n"
        "[Particules_Process]\nPixSize=   0.0106\n[Data]\n!Item;Label;Area;Circ.;%Area;Tag\n"
    )
    rows = "".join(f"{n};{scan};900;0.5;0.25;1\n" for n in (1, 2))
    held = {
        f"{scan}_dat1.pid": (head + rows).encode("latin-1"),
        **{f"{scan}_{n}.jpg": picture("JPEG", number=n) for n in (1, 2)},
    }
    return [{f"in/{name}": one for name, one in held.items()}, {"in.zip": zip_of(held)}]


def zooimage() -> list[Files]:
    """A .zid of ZooImage with its .zis."""
    label, sample = "NET.2004-10-20.H1+A1", "NET.2004-10-20.H1"
    zim = (
        "ZI1\n[Image]\nHardware=EPSON 4870 # left\n\n[Subsample]\nSubPart=0.05\nCellPart=0.5\nReplicates=2\n"
        "VolIni=1.731\n\n[Process]\nPixSize=0.010583\n\n[Data]\n!Item\tLabel\tArea\tClass\n"
        f"1\t{label}\t0.47\t\n2\t{label}\t1.01\tegg\n"
    )
    zis = (
        "ZI1\n[Description]\nId=NET\n\n[Stations]\n!Code\tLocation\tLatitude\tLongitude\nH1\tTulear\t-23.4\t43.6\n\n"
        "[Samples]\n!Label\tStation\tDate\tTime\tLatitude\tLongitude\tDepthMin\tDepthMax\tSampVol\tNote\n"
        f"{sample}\tH1\t2004-10-20\t10:20\t\t\t0\t12.5\t1.731\tafter rain\n"
    )
    held = {f"{sample}/{label}_dat1.zim": zim.encode()}
    held |= {f"{sample}/{label}_{n}.png": picture(number=n) for n in (1, 2)}
    return [{f"in/{sample}.zid": zip_of(held), "in/Description.zis": zis.encode("latin-1")}]


def flowcam() -> list[Files]:
    """A FlowCam run with all that lies beside its list."""
    run = "day7 2x"
    fields = (
        "id",
        "image_x",
        "image_y",
        "image_w",
        "image_h",
        "cal_const",
        "timestamp",
        "collage_file",
        "ppc",
    )
    named = "".join(f"{name}|int32\n" for name in fields)
    rows = (
        f"1|0|0|4|2|0.5544|2025-04-11T15:53:46.806|{run}_000001.tif|1\n"
        f"2|4|3|3|3|0.5544|2025-04-11T15:53:47.396|{run}_000001.tif|2\n"
    )
    return [
        {
            f"in/{run}.lst": f"017\nnum-fields|{len(fields)}\n{named}{rows}".encode("cp1252"),
            f"in/{run}_000001.tif": picture("TIFF", mode="RGB"),
            f"in/{run}.csv": b"Particle ID,Area (ABD),Filter Score\n1,2.382,0\n2,1.7,0\n",
            f"in/{run}.cla": b"v3\n1\nprotists_2\n2\nJunk\nOR\n1\nC:\\junk.flt\n1\n1\nby hand\nOR\n0\n1\n2\n",
            f"in/{run}_summary.csv": b"Count,2\nSample Volume Imaged ml,0.1418\n",
            f"in/{run}.ctx": b"[General]\nCameraMagnification=10\nLocationName=Kosterfjord\n"
            b"LocationLatitude=58.9\n"
            b"LocationLongitude=11.1\nFluidVolumeImaged_ml=0.0000\n",
        }
    ]


def plankton_imager() -> list[Files]:
    """Plankton Imager tars with tags, counts and a classifier's results."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    name = "pia7.2024-06-24.1454+N{:08d}.tif"
    tags = ImageFileDirectory_v2()
    tags[306], tags[270] = "2024:06:24 14:55:07", "50.1 N"
    exif = Image.Exif()
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (49.0, 30.0, 5.0), 3: "W", 4: (6.0, 1.0, 0.0)})
    one = picture(
        "TIFF", mode="RGB", tiffinfo=tags, x_resolution=1000, y_resolution=1000, resolution_unit=3
    )
    raw = {
        f"RawImages/{name.format(0)}": one,
        f"RawImages/{name.format(1)}": picture("TIFF", mode="RGB", exif=exif),
        "HitsMisses.txt": b"600, 100\n300, 200\n",
    }
    results = (
        "Model_1\nFname,Class,Copepoda_(p),Detritus_(p),Area,DateTime,GPSLatitudeRef,GPSLatitude,GPSLongitudeRef,"
        "GPSLongitude\n"
        f'{name.format(0)},Copepoda,0.9,0.1,535,2024-06-24 14:55:26,S,"[49, 1, 391900, 10000, 0, 1]",'
        'W,"[6, 1, 300000, 10000, 0, 1]"\n'
    )
    return [
        {"in/2024-06-24/1454.tar": tar_of(raw), "in/results.csv": results.encode()},
        {f"in/{key}": content for key, content in raw.items()}
        | {"in/results.csv": results.encode()},
        {"in/2024-06-24/1454.zip": zip_of(raw)},
    ]


def bold() -> list[Files]:
    """BOLD tables, plain and packed."""
    import gzip

    row = {
        "processid": "ARCOP1-20",
        "sampleid": "S1",
        "insdc_acs": "AB123456",
        "taxid": "28909.0",
        "marker_code": "COI-5P",
        **RANKS,
        "identification": "Calanus glacialis",
        "nuc": f"--{BARCODE}",
        "bin_uri": "BOLD:AAA0008",
        "coord": "(72.5,-156.25)",
        "depth": "40",
        "elev": "None",
        "collection_date_start": "2012-07-01",
        "collection_time": "08:30",
        "country/ocean": "Arctic Ocean",
    }
    content = table(row, {**row, "processid": "B2", "coord": "None"}, delimiter="\t")
    return [
        {"in.tsv": content},
        {"in.tsv.gz": gzip.compress(content)},
        {"in.zip": zip_of({"b.tsv": content})},
    ]


def fasta() -> list[Files]:
    """Sequence files with headers of several forms."""
    import gzip

    text = (
        f">a\n{BARCODE}\n>P1-20|Calanus finmarchicus|COI-5P|AB1\n{BARCODE}\nACGT\n"
        ">b tax=k:Animalia,p:Arthropoda;\n"
        f"{BARCODE}\n>c;Animalia;Arthropoda;Copepoda\n{BARCODE}\n"
    )
    sintax = (
        f">x1;tax=d:Animalia,p:Arthropoda,c:Copepoda,g:Calanus,s:Calanus_finmarchicus;\n{BARCODE}\n"
        * 3
    )
    side = table({"id": "a", **RANKS}, delimiter="\t")
    return [
        {"s.fasta": text.encode()},
        {"s.fasta": sintax.encode()},
        {"s.fa.gz": gzip.compress(text.encode())},
        {"s.fasta": f">a\n{BARCODE}\n".encode(), "s.tsv": side},
    ]


def bioscan() -> list[Files]:
    """BIOSCAN tables with images."""
    five = {
        "processid": "AAA1",
        "sampleid": "S1",
        "taxon": "Megaselia",
        **RANKS,
        "subfamily": "not_classified",
        "dna_bin": "BOLD:AAA0008",
        "dna_barcode": BARCODE,
        "country": "Costa Rica",
        "coord-lat": "10.5",
        "coord-lon": "-84",
        "area_fraction": "0.25",
        "scale_factor": "1.5",
        "inferred_ranks": "0",
        "split": "pretrain",
        "chunk": "12.0",
        "index_bioscan_1M_insect": "7.0",
    }
    one = {
        "sampleid": "S3",
        "processid": "CCC3",
        "uri": "BOLD:AAA0009",
        "name": "Megaselia",
        **RANKS,
        "tribe": "",
        "nucraw": BARCODE,
        "image_file": "4900531.jpg",
        "large_diptera_family": "train",
        "chunk_number": "18",
        "copyright_license": "CreativeCommons-Attribution",
        "copyright_holder": "CBG",
    }
    return [
        {
            "m.csv": table(five, {**five, "processid": "BBB2"}),
            "pretrain/12/AAA1.jpg": picture("JPEG"),
        },
        {
            "m.tsv": table(one, delimiter="\t"),
            "bioscan/images/cropped_256/part18/4900531.jpg": picture("JPEG"),
        },
    ]


def clibd() -> list[Files]:
    """CLIBD's HDF5."""
    import h5py

    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for name, ids in (("all_keys", [3, 4]), ("seen_keys", [3]), ("no_split", [6])):
            group = file.create_group(name)
            images, mask = np.zeros((len(ids), 900), np.uint8), np.zeros((len(ids), 900), bool)
            for row, number in enumerate(ids):
                content = np.frombuffer(picture("JPEG", mode="RGB", number=number), np.uint8)
                images[row, : content.size], mask[row, : content.size] = content, True
            group["image"], group["image_mask"] = images, mask
            group["processid"] = np.array([f"P{number}".encode() for number in ids], "S12")
            group["sampleid"] = [f"S{number}" for number in ids]
            group["barcode"] = np.array([b"ACGTACGTNN  "] * len(ids), "S20")
            for rank in ("order", "family", "genus", "species"):
                group[rank] = np.array([RANKS[rank].encode()] * len(ids), "S30")
    return [{"in.hdf5": held.getvalue()}]


DWC = "http://rs.tdwg.org/dwc/terms/"
META = f"""<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">
<core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n"
 fieldsEnclosedBy="" ignoreHeaderLines="1" rowType="{DWC}Occurrence">
 <files><location>occurrence.txt</location></files><id index="0"/>
 <field index="0" term="{DWC}occurrenceID"/><field index="1" term="{DWC}scientificName"/>
 <field index="2" term="{DWC}decimalLatitude"/><field index="3" term="{DWC}decimalLongitude"/>
 <field index="4" term="{DWC}eventDate"/><field default="Animalia" term="{DWC}kingdom"/></core>
<extension encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\\n"
 fieldsEnclosedBy='"' ignoreHeaderLines="1" rowType="http://rs.gbif.org/terms/1.0/Multimedia">
 <files><location>media.csv</location></files><coreid index="0"/>
 <field index="1" term="http://purl.org/dc/terms/identifier"/><field index="2" term="http://purl.org/dc/terms/license"/>
</extension></archive>"""
EML = (
    '<eml:eml xmlns:eml="https://eml.ecoinformatics.org/eml-2.1.1"><dataset><title>Net 2</title>'
    "<intellectualRights>"
    "<para>CC BY 4.0</para></intellectualRights></dataset></eml:eml>"
)


def darwin_core() -> list[Files]:
    """Darwin Core Archives, described and bare, with images, in a zip."""
    rows = (
        "id\tname\tlat\tlon\tdate\n1\tCalanus finmarchicus\t43.5\t-7.5\t2014-04-20/2014-04-21\n"
        "2\tOithona\t95\t0\t2014\n"
    )
    media = 'id,identifier,license\n1,a.png,"http://creativecommons.org/licenses/by/4.0/"\n'
    held = {
        "meta.xml": META.encode(),
        "eml.xml": EML.encode(),
        "occurrence.txt": rows.encode(),
        "media.csv": media.encode(),
        "a.png": picture(),
    }
    bare = b"occurrenceID\tscientificName\tassociatedMedia\n1\tApis\ta.png\n2\tBombus\n"
    return [
        {f"in/{name}": one for name, one in held.items()},
        {"in.zip": zip_of(held)},
        {"in/occurrence.txt": bare, "in/a.png": picture()},
    ]


def camtrap_dp() -> list[Files]:
    """Camtrap DP packages."""
    said = {
        "profile": "https://rs.gbif.org/camtrap-dp/1.0.1/camtrap-dp-profile.json",
        "resources": [
            {"name": "deployments", "path": "deployments.csv"},
            {"name": "media", "path": "media.csv"},
            {"name": "observations", "path": "o.csv", "dialect": {"delimiter": ","}},
        ],
        "licenses": [{"name": "CC-BY-4.0", "scope": "media"}],
        "taxonomic": [
            {"scientificName": "Vulpes vulpes", "taxonRank": "species", "genus": "Vulpes"}
        ],
    }
    place = {
        "deploymentID": "d1",
        "latitude": "43.5",
        "longitude": "7.5",
        "deploymentStart": "2020-01-01T00:00:00Z",
        "deploymentEnd": "2020-02-01T00:00:00Z",
        "cameraModel": "x",
    }
    media = {
        "mediaID": "m1",
        "deploymentID": "d1",
        "timestamp": "2020-01-01T00:00:00Z",
        "filePath": "a.png",
        "fileMediatype": "image/png",
        "filePublic": "true",
    }
    seen = {
        "observationID": "o1",
        "deploymentID": "d1",
        "mediaID": "m1",
        "observationType": "animal",
        "scientificName": "Vulpes vulpes",
        "count": "1",
        "bboxX": "0.1",
        "bboxY": "0.1",
        "bboxWidth": "0.5",
        "bboxHeight": "0.5",
        "classificationMethod": "machine",
        "classificationProbability": "0.9",
    }
    held = {
        "datapackage.json": json_of(said),
        "deployments.csv": table(place),
        "media.csv": table(media),
        "o.csv": table(seen),
        "a.png": picture(),
    }
    return [{f"in/{name}": one for name, one in held.items()}, {"in.zip": zip_of(held)}]


def coco() -> list[Files]:
    """COCO camera traps."""
    said = {
        "info": {"version": "1", "year": 2020},
        "images": [
            {
                "id": "1",
                "file_name": "a.png",
                "width": 8,
                "height": 6,
                "datetime": "2020-01-01 00:00:00",
                "location": 3,
                "seq_id": "s",
                "frame_num": 1,
            },
            {"id": 2, "file_name": "b.png"},
        ],
        "categories": [
            {"id": 1, "name": "fox", "scientific_name": "Vulpes vulpes"},
            {"id": 0, "name": "empty"},
        ],
        "annotations": [
            {"id": 1, "image_id": "1", "category_id": 1, "bbox": [1, 1, 4, 4]},
            {"id": 2, "image_id": 2, "category_id": 0},
        ],
    }
    return [{"traps.json": json_of(said), "a.png": picture(), "b.png": picture(number=2)}]


def speciesnet() -> list[Files]:
    """Instances of a camera-trap classifier."""
    said = {
        "instances": [
            {
                "filepath": "a.png",
                "country": "GBR",
                "latitude": 51.0,
                "longitude": 0.5,
                "date_time": "2020-01-01",
            },
            {"filepath": "b.png"},
        ]
    }
    return [{"instances.json": json_of(said), "a.png": picture()}]


def inat21() -> list[Files]:
    """iNat21 folders and JSON."""
    said = {
        "info": {"year": 2021},
        "images": [
            {
                "id": 0,
                "width": 8,
                "height": 6,
                "file_name": f"train/{LINEAGE}/a.jpg",
                "license": 2,
                "rights_holder": "José",
                "date": "2011-07-13 00:11:00+00:00",
                "latitude": 35.1,
                "longitude": -120.5,
                "location_uncertainty": None,
            }
        ],
        "categories": [
            {
                **RANKS,
                "id": 2912,
                "name": "Calanus finmarchicus",
                "common_name": "x",
                "supercategory": "Crustacea",
                "specific_epithet": "finmarchicus",
                "image_dir_name": LINEAGE,
            }
        ],
        "annotations": [{"id": 0, "image_id": 0, "category_id": 2912}],
        "licenses": [{"id": 2, "name": "CC BY-NC 4.0", "url": "x"}],
    }
    folder = {
        f"in/train/{LINEAGE}/a.jpg": picture("JPEG"),
        "in/public_test/c.jpg": picture("JPEG", number=2),
    }
    return [folder, {**folder, "in/train.json": json_of(said)}]


def tree_of_life() -> list[Files]:
    """TreeOfLife shards with their catalogue."""
    lineage = " ".join(list(RANKS.values())[:6])
    texts = {
        "com.txt": "a photo of x.",
        "common_name.txt": "x",
        "sci.txt": "a photo of Calanus finmarchicus.",
        "scientific_name.txt": "Calanus finmarchicus",
        "taxon.txt": f"a photo of {lineage} finmarchicus.",
        "taxonTag.txt": "a photo of kingdom Animalia phylum Arthropoda.",
        "taxonomic_name.txt": lineage,
    }
    shard = {
        "id1.jpg": picture("JPEG"),
        **{f"id1.{ending}": text.encode() for ending, text in texts.items()},
    }
    row = {
        "split": "train",
        "treeoflife_id": "id1",
        "eol_content_id": "123.0",
        "eol_page_id": "",
        **RANKS,
        "common": "x",
    }
    licence = {
        "treeoflife_id": "id1",
        "eol_content_id": "123",
        "license_name": "cc-by",
        "copyright_owner": "y",
    }
    return [
        {
            "in/shard-000.tar": tar_of(shard),
            "in/catalog.csv": table(row),
            "in/licenses.csv": table(licence),
        },
        {"in/shard-000.tar": tar_of(shard)},
    ]


def taxonopy() -> list[Files]:
    """Tables of names to be resolved."""
    row = {
        "uuid": "u1",
        **RANKS,
        "scientific_name": "",
        "common_name": "magpie",
        "source_id": "12.0",
    }
    return [
        {"in.csv": table(row)},
        {"in.parquet": parquet({**row, "source_id": 12.0, "emb": [0.5, 0.25]})},
    ]


def hf_parquet() -> list[Files]:
    """Images in Parquet, with the features of a data set."""
    row = {
        "dataset": "d",
        "original_label": "copepod",
        "original_path": "/copepod/1.png",
        "label": 0,
        **{rank.capitalize(): name.lower() for rank, name in RANKS.items()},
        "Latitude": 43.7,
        "Longitude": 7.3,
        "Depth_max": 50.0,
        "aphia_ID": "104465.0",
        "timestamp": "2015-01-01",
        "license": "CC-BY-4.0",
        "custom_metadata": '{"a": 1}',
        "image": {"bytes": picture(), "path": "1.png"},
    }
    features = {
        "label": {"names": ["copepod", "egg"], "_type": "ClassLabel"},
        "image": {"_type": "Image"},
    }
    told = json.dumps({"info": {"features": features}})
    return [{"train-00000-of-00001.parquet": parquet(row, {**row, "label": 1}, huggingface=told)}]


def simulated() -> list[Files]:
    """Settings of a simulation."""
    return [{"s.toml": b"num_species = 3\nmedian_specimens_per_species = 2.0\nseed = 3\n"}]
