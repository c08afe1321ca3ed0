"""Which letters stand beside the accented ones in the words of a language, and how often each of those is met.

Counted in the word lists of spelling checkers. An entry is the letter with what stands before it, what stands after it
(``-`` is the edge of the word), the most frequent first, and its share of the accented letters, per thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

_COUNTED = {
    "de": (
        "ärhltfwmsnkgzbp-dje/nhurtlgcsfmßdpbki/402 ür-flthnbwkmzsdgp/cbhrntsglfmpdß/375 "
        "öhlrtfmwkn-ivbzsgdp/rshlgntpcfßdmbkv/142 ßaoieu/eitb-lgshnufakzvrwm/81"
    ),
    "fr": (
        "édr-tlsnmphgciufbvey/escrt-pmglbndfvaioqj/722 âtslnruimhbdpecvyfg-/tmclinb/128 "
        "èiltsrnmghpcudfvbya/rtnlgdvmscq/74 îadtonrsvglumhcbpf-/tmncl/19 çnareuips/aou/17 "
        "êrpbvmutfngodl/tlcnpvm/14 ûorflbmecsdnhp/tlmrcns-/8 œ-csbvnmf/uit/7 ïoau/sdntecrqu-akvmolg/6 "
        "ôrclhtj-npmved/ltnmdcs-/5"
    ),
    "es": (
        "óirltcnmpdzgsbjefh-v/ngmlrpsftcd-v/322 írltngusdmcfphvaeb-jo/ans-ftcodmlpgbvr/260 "
        "ártmlcni-pbdgsfvuehjyx/nctsrflm-bgpudvqx/161 ñaeiuo-/aoeiu/116 "
        "étnmrlcpudgsbi-fhvao/stnr-clpmdfbguvoijx/100 úrlctbphmsndaf-jeygzi/-nrmslbtacdpjfgovh/31 üg/ei/9"
    ),
    "it": (
        "òrtinlczdsgmvpu/-/535 àrt/-/416 ìrdutlnpgsmbchvz/-/31 éhdtrmnsvbzcp/-/12 è-miolspuhft/-/4 "
        "ùitsbgn/-/3"
    ),
    "pt": (
        "ártcznhliegdmsjvpofub/srv-mtfc/496 írutdalcgnsvmzbpefo-/aesrvdncmtf-lpg/177 çaineourls/aou/122 "
        "ãrcstdhimlgepvxn/o-s/82 ótlrncmsipfdbeg-vzxa/rglnpmftisdcb-x/32 êcdvtrglunibmpzhosf-/snr-mux/26 "
        "õcsprthidglxejm/e/23 étmslnrgvpdcbifz-uhao/rtsn-midlcpgfuvboq/21 âltrncmgivd-speuzfb/nm/6 "
        "úpalinctbrmfd-gesjh/nrbdlcmvstp-gzefjx/6 ôrtcnpmldfsvbgi-zjxe/nmos-dvfbplr/5 üqg/ei/5"
    ),
    "nl": (
        "ëieoa/nrl-txzsfemdivc/429 évtfhrl-emdcpniusgbowzy/-serlntbgmdapkocvhzfju/184 "
        "ïeaou/nsdtecmrgl-bav/141 èirclbpghtdsymfnv/rnmtcslvg-/72 öorfmljhgks-d/rnpbhlstemfdgc-/54 "
        "üeulgb-radhmjksfwnz/mnsrlbphcgyt/22 óov-hmzltrndwekbs/ornemvf-pgkticlshz/20 êurfgpmtb/tlpncmv/17 "
        "áadmn-lwrjtzhcgsk/ar-nlstxdzgmp/15 çanrelio/auoi-/9 äahdfvnmjklg/nclrhskgtfma/5 "
        "í-cenwzdrukhbl/eanltsmk-d/5 à-jm/-s/5 ûklobmhrw/tnslb/4 ñeoiu/oau/4 âwlht/lnt-/4 "
        "ús-nahtuzbkjd/l-snridupw/3 îaon/tcm/3 ôhrpa/tnmlf/3"
    ),
    "sv": (
        "ärlvtjhksmfn-gbpd/rnltsmgdkcvpxf/444 öfrl-htskmdnbjgpv/rvsdnlktmjgp-ba/363 "
        "år-lhgmvptsfkbndoe/nlrtdgskv-epfbmha/188 értfldmjcpnhkbs/en-srm/6"
    ),
    "da": (
        "ærlvmktsfn-bhjpdg/rnglsktdvmbfep-/446 ørltfsbkmdh-ngjpvi/rdjngvslbmkfte-/387 "
        "årml-bhtpgksnvde/rdnlbsegkt-hmvp/156 étrsmlpfdhnkgcybui-/er-stmakdbgnhlz/10"
    ),
    "no": (
        "øjlrtfshmbdn-pkvig/rynlkstvdpmgfeba-/586 årmlv-htpbgksnedji/lrdtnkspvegmbaf-i/286 "
        "ælnjvtbsr-hmfdpge/rltksgmvd/107 étsdnlmrfihjkpgvcu/r-slfemtdavbghknpio/10 êvljg/rln/3 ôfc/rt/3 "
        "èilcrs/rst/2 òrnflvgtkmhp/trkdslgvnp/1"
    ),
    "ca": (
        "àrljtncszigmdxpvyfbu/s-rvtnclfmb/408 érugltnzsimdxpvycbf/s-r/234 "
        "írltungdsmcpxzvfbeyi/e-srntfcvmlpgd/196 òtrlcnimsfpedgb-oxzhv/gnrlmftpscdbx-/37 "
        "ïueaio/sntdr-mxecfaulb/31 çnarleipou/ao-u/29 ètmrlcgnpdsfuibv-oxah/ntrsclm-pdfiugxvob/28 "
        "óirltcdngsmxybpjufv/-sr/26 ügqaei/elirtndmc/7 úlctrbnpmsfdg-jixeoh/rsmnl-btcdpvigfj/6"
    ),
    "is": (
        "ðiarouæegyf/iua-srlnfvbghjmkte/314 ój-rktbsldmhfgnpþv/lrðtnskmfpghvabu-þi/138 "
        "árm-jhlnskfgbtpdaþvu/lrtðsnmkfghv-bpaæiud/115 öjtlsvhr-mgkfbndþp/rlgnfðktsmpx/100 "
        "ærltvhbfmns-gkdaþ/ðktrlngmfsjdvp-/93 ílrvts-bknpmdfgax/ksðmfnltugrabþpv-hdoe/85 "
        "úr-bhjtknlmsdfpagþ/tsnrðklafmpgibd-uv/61 þ-arlsinuomðtfgdk/rjoyieauvæ/39 "
        "ýslnrdktbþm-hfp/rsnðtljkmf-gpbdivau/28 érfvslthþpn-/ltrfs-nðkdgbv/28"
    ),
    "pl": (
        "łaioeyspgkdz-twbu/ayobeu-ktczng/308 ąjnizkwcrltłs/c-dztsgbk/198 śyoiea-ud/cm-lnwr/173 "
        "ęiznrjktwplłmdgc/-ctdzkbłgsp/96 żeoayj-durzinl/e-ayonudklmłc/88 órpkztłgminwcsldbh/włrzjcdlbs/59 "
        "ńaeiyo/s-ck/49 ćaseiy-orz/-wmkcdp/17 źdeoauiy-rł/nwdcmlbr-gz/10"
    ),
    "cs": (
        "ávrnltkhzpsdmcb/-nvkrctlszdb/259 ínscjlrtvpmbz/-cknrstzvdlm/197 ýnkvtlrh/-srvctknl/146 "
        "šj-auioeyrvnldz/itekoa-plunvm/100 čia-eounrtlyjsvzcdp/iekaon-tucs/81 řpatoke-idyuhb/eiao-skcu/66 "
        "ěntvdmpb/jntlrszd-ckhv/64 žao-ueirdynml/eioaknd-lucvsrm/30 ůrlkpencdthsvbzmij/vszlrm-jcndthb/13 "
        "ňaoesirudvlztpyhmckb-/oa-uks/12 éltrnvdmpskfichzb-/r-ntkmzsvdcbhlgf/12 ťsae-uiorydhz/aou-ksh/5 "
        "ú-zordhaslbkiftecmpyvu/csrtzhpdnklbv-m/4 órkiltnpgjmzsbdfvhec-/zndrl-tkosmbwjcv/4 "
        "ďa-zeouinr/oau-kmt/2 örhkldgtbmpzsf-njw/rslnhftgcpbdmkzo-/2 ümrhkfsgljdwbt-y/nrhclsbtmgfde-/1"
    ),
    "sk": (
        "šj-aeouiyndvtr/ioetk-aupnl/239 árnlktvzphmdibsgf/rcvltsdnzm-kpbh/130 ísntcrlzvpdmb/mc-kvnstrzdl/126 "
        "ťasiue-j/-asdotu/102 ýnvktrhlsd/-cmvszrltkn/93 čaioue-nrjyldpkvhb/inkeao-ulst/83 "
        "újnrtslk-hzpcbmdfv/c-trvszpdblnkh/68 žaou-edijryln/ienoaukd-lrsmb/42 "
        "ľeoauhsp-kzbjidtygc/anouk-smv/41 éntrkvlgidmzfschpb-/-rnhmztdcvklfb/20 "
        "ňeardlsyvotuczpihmjbk-/oau-mt/18 ólrtinfkmpgzdsvhueb-/nzgrmdbtlpj-/15 ävpm/tzkdslc-/9 "
        "ôdprhkmtbnvlgu-/svzlcdrtnkjpm/6 ďaze-ovjirun/ao-utm/4 ŕvmtphkdfbsc/kctzhndsmpbl-/3 "
        "ĺtkhdmpvbao-/kzbpnch-t/2"
    ),
    "hu": (
        "átlzrvshmkng-ipdbjyf/rslntzgc-mdkbjv/309 ékltvznsrm-fdghbpyc/snrlgtk-pdzmvj/214 "
        "ólitrozkgdjsynpm-bh/-odsgrlztakncvbfphm/131 ök-trzldsfngybvpjmh/rltnzksvgdmbc/111 "
        "őltzdrfs-nkgbvhy/-srldtzknebmfhvajgci/77 ísztdrvnhlkyp-bmgc/trvznjmsldgcp-/54 "
        "üzftks-rylgdbnpijvmh/lnkrvtgzsdm-c/45 út-sykhrbfzmjldginao/-rjtlszgdvcnfkp/31 "
        "űmyrtfzhbksjnvdl-/-srlvztnkjbhfeg/23"
    ),
    "hr": (
        "čia-uoernsp/aiekn-ujo/360 šia-ueorpd/taeinkc-lupm/283 žao-ueird/ieanudlb-mvo/154 "
        "ćuieaos-p/ie-aunk/143 đeaoui-rn/eaiu-/59"
    ),
    "sl": (
        "čionseav-rjlutdb/aei-nkurl/544 š-iaejournvlm/keciat-nolup/307 žeo-auirdnlv/eainul-bvgkorj/138 "
        "ćie-/ea/10"
    ),
    "ro": (
        "ătrlcnpmsbzvgdf/-rtlsinmcpduzgb/539 ţaeniu-crlop/iaeu-/143 ârtzcmngvlspbdfh/nrimsltcz/133 "
        "şea-uionr/tia-eoucnmp/117 î-e/nm-/68"
    ),
    "tr": (
        "ıgdltnmsrckyzb-/ng-lrzmkyspc/449 ğiıeauo/iıuaelr/243 şaeıiu-or/t-almeıiuksc/128 "
        "ügdltsmryk-ncbzh/rlnsgzkm-ytcvdp/94 ç-kaeutirnlsıp/aeiıluomts-/51 ö-gdskcytbr/rnzlkgtysdmvpc/35"
    ),
    "lv": (
        "āntprklmsgvdzijb-f/trjlncbdszkvmpf/311 ēltvrszdmnpckbgj-/tjrndlskmzgc/207 "
        "ītldrzmnscvpbk-j/tbgndskvjmrclz/197 ška-oeuinrzgltp/kaio-unslpevmtrd/78 "
        "ūrtlsbkpj-dmzcn/rdktsvpnzgcml/46 ķsi-earnoluz/ieoasu/40 ņieoaszku-ltp/aosukeigvrpdnztm-/34 "
        "ļaeuispklg-ob/aouisklevngdprmtb-/32 žead-iuornzpg/aoiuensvgmklpzr/25 ģo-eariunzl/ieo/19 "
        "č-aeznoiutrps/eaiuosgzm/11"
    ),
    "lt": (
        "ėknltdsrvgbmpz-/-jtslndkgzr/408 ši-kaeuropmy/kitaelvnucmoyp/291 ž-uadeirogylbm/iaeuvdytolkmnsp/134 "
        "ūirktpldbs-gjmz/nkrdsztgplmbv/76 č-isueknaproyblg/iekya/68 į-trjsznpa/skvdztgpn-rmljb/12 "
        "ąsrg-iztlknjmv/szjmvl-rnk/8 ękrtlvngc/szr/2 ųjintsrvk/-jdsm/1"
    ),
    "et": (
        "äkravnmjlthps-/ruasnihlktpgmbd/335 õk-slvmpotnrhj/rnhiloumpktsbgde/327 "
        "üuskt-lrhmpnfb/unlhmrstpkdgbva/212 öotklrspm-nfvh/orgknlbdmtispveh/83 š-tsauoiner/ieasoukl-mv/28 "
        "žad-enruil/ieuaog-/15"
    ),
}  # fmt: skip
_WESTERN = ("de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "ca", "is")
_CENTRAL = ("pl", "cs", "sk", "hu", "hr", "sl", "ro")
_SPOKEN = {
    **dict.fromkeys(("cp1252", "mac_roman", "cp850"), _WESTERN),
    **dict.fromkeys(("cp1250", "iso8859_2", "cp852"), _CENTRAL),
    "cp857": ("tr",),
    "cp1254": ("tr",),
    "cp1257": ("lv", "lt", "et"),
}


class Company(Struct, frozen=True):
    """What stands ``before`` and ``after`` a letter, and the letter's ``share``."""

    before: str
    after: str
    share: float


@lru_cache(maxsize=16)
def languages_of(page: str) -> tuple[Mapping[str, Company], ...]:
    """The accented letters of each language that is written in a code page."""
    return tuple(dict(map(_entry, _COUNTED[language].split())) for language in _SPOKEN[page])


def _entry(text: str) -> tuple[str, Company]:
    before, after, share = text.split("/")
    return text[0], Company(before[1:], after, int(share) / 1000)
