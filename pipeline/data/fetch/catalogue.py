"""The data sets that can be fetched.

Addresses, names and sizes are the publishers'. Where a digest is given it is one that others have
published for the same file: COCO's by several projects that mirror it, the others by pysaliency
(`external_datasets`), which reads the same archives. Where none is, the first one seen is trusted.
"""

from __future__ import annotations

from pipeline.data.fetch.sources import Archive, Source, names, register

__all__ = ["names"]

_COCO = "http://images.cocodataset.org"
_JUDD = "https://people.csail.mit.edu/tjudd/WherePeopleLook"
_MIT = "https://saliency.mit.edu"
_OSIE = "https://github.com/NUS-VIP/predicting-human-gaze-beyond-pixels"
_DRIVE = "https://drive.google.com/uc?export=download&id="
_ASKS = "Google Drive asks before it hands out a file of this size"

register(
    Source(
        name="coco",
        title="COCO 2017",
        page="https://cocodataset.org/#download",
        terms="annotations CC BY 4.0, images as on Flickr: https://cocodataset.org/#termsofuse",
        archives=(
            Archive(
                part="train2017",
                file="train2017.zip",
                url=f"{_COCO}/zips/train2017.zip",
                into="train2017",
                top="train2017",
                suffix=".jpg",
                size=19_336_861_798,
                md5="cced6f7f71b7629ddf16f17bbcfab6b2",
            ),
            Archive(
                part="val2017",
                file="val2017.zip",
                url=f"{_COCO}/zips/val2017.zip",
                into="val2017",
                top="val2017",
                suffix=".jpg",
                size=815_585_330,
                md5="442b8da7639aecaf257c1dceb8ba8c80",
            ),
            Archive(
                part="test2017",
                file="test2017.zip",
                url=f"{_COCO}/zips/test2017.zip",
                into="test2017",
                top="test2017",
                suffix=".jpg",
                size=6_646_970_404,
                md5="77ad2c53ac5d0aea611d422c0938fb35",
            ),
            Archive(
                part="annotations",
                file="annotations_trainval2017.zip",
                url=f"{_COCO}/annotations/annotations_trainval2017.zip",
                into="annotations",
                top="annotations",
                suffix=".json",
                size=252_907_541,
                md5="f4bbac642086de4f52a3fdda2de5fa2c",
            ),
        ),
    )
)

register(
    Source(
        name="salicon",
        title="SALICON 2017",
        page="http://salicon.net/challenge-2017/",
        terms="on its page; images are COCO's",
        archives=(
            Archive(
                part="images",
                file="images.zip",
                url=f"{_DRIVE}1g8j-hTT-51IG1UFwP0xTGhLdgIUCW5e5",
                into="images",
                top="images",
                suffix=".jpg",
                md5="eb2a1bb706633d1b31fc2e01422c5757",
                by_hand=_ASKS,
                about="3.0 GB",
            ),
            Archive(
                part="maps",
                file="maps.zip",
                url=f"{_DRIVE}1PnO7szbdub1559LfjYHMy65EDC4VhJC8",
                into="maps",
                top="maps",
                suffix=".png",
                by_hand=_ASKS,
                about="0.4 GB",
            ),
            Archive(
                part="fixations",
                file="fixations.zip",
                url=f"{_DRIVE}1P-jeZXCsjoKO79OhFUgnj6FGcyvmLDPj",
                into="fixations",
                top="fixations",
                suffix=".mat",
                md5="462b70f4f9e8ea446ac628e46cea8d3d",
                by_hand=_ASKS,
                about="1.4 GB",
            ),
        ),
    )
)

register(
    Source(
        name="mit1003",
        title="MIT1003 (Judd et al., ICCV 2009)",
        page=f"{_JUDD}/index.html",
        terms="none stated that we know of: see its page",
        archives=(
            Archive(
                part="stimuli",
                file="ALLSTIMULI.zip",
                url=f"{_JUDD}/ALLSTIMULI.zip",
                into="ALLSTIMULI",
                top="ALLSTIMULI",
                suffix=".jpeg",
                md5="0d7df8b954ecba69b6796e77b9afe4b6",
            ),
            Archive(
                part="data",
                file="DATA.zip",
                url=f"{_JUDD}/DATA.zip",
                into="DATA",
                top="DATA",
                suffix=".mat",
                md5="ea19d74ad0a0144428c53e9d75c2d71c",
            ),
            Archive(
                part="maps",
                file="ALLFIXATIONMAPS.zip",
                url=f"{_JUDD}/ALLFIXATIONMAPS.zip",
                into="ALLFIXATIONMAPS",
                top="ALLFIXATIONMAPS",
                suffix=".jpg",
            ),
        ),
    )
)

register(
    Source(
        name="mit300",
        title="MIT300 (MIT saliency benchmark)",
        page=f"{_MIT}/submission_mit300.html",
        terms="none stated that we know of: see its page",
        archives=(
            Archive(
                part="stimuli",
                file="BenchmarkIMAGES.zip",
                url=f"{_MIT}/BenchmarkIMAGES.zip",
                into="BenchmarkIMAGES",
                top="BenchmarkIMAGES",
                suffix=".jpg",
                md5="03ed32bdf5e4289950cd28df89451260",
            ),
        ),
    )
)

register(
    Source(
        name="cat2000",
        title="CAT2000 (Borji and Itti, 2015)",
        page=f"{_MIT}/submission_cat2000.html",
        terms="none stated that we know of: see its page",
        archives=(
            Archive(
                part="train",
                file="trainSet.zip",
                url=f"{_MIT}/trainSet.zip",
                into="trainSet",
                top="trainSet",
                suffix=".jpg",
                md5="56ad5c77e6c8f72ed9ef2901628d6e48",
            ),
            Archive(
                part="test",
                file="testSet.zip",
                url=f"{_MIT}/testSet.zip",
                into="testSet",
                top="testSet",
                suffix=".jpg",
                md5="903ec668df2e5a8470aef9d8654e7985",
            ),
        ),
    )
)

register(
    Source(
        name="osie",
        title="OSIE (Xu et al., 2014)",
        page=_OSIE,
        terms=f"MIT licence: {_OSIE}/blob/master/LICENSE",
        archives=(
            Archive(
                part="data",
                file="predicting-human-gaze-beyond-pixels-master.zip",
                url=f"{_OSIE}/archive/refs/heads/master.zip",
                into="data",
                top="predicting-human-gaze-beyond-pixels-master/data",
                suffix=".jpg",
            ),
        ),
    )
)
