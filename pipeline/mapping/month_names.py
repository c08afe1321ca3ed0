"""Names of months and weekdays, full and short, in the languages exports come in.

From the Unicode CLDR (by way of Babel 2.19): English, German, French, Spanish, Italian, Portuguese, Dutch,
Polish, Russian, Swedish, Danish, Norwegian, Finnish, Czech, Slovak, Hungarian, Romanian, Turkish and Ukrainian, in the
form beside a day (genitive) and alone, also without accents. A name that is another month elsewhere is left out.
"""

from __future__ import annotations

from collections.abc import Mapping


def _numbered(*names: str, first: int) -> Mapping[str, int]:
    return {word: number for number, words in enumerate(names, first) for word in words.split(",")}


MONTHS = _numbered(
    (
        "ene,enero,gen,gennaio,ian,ianuarie,jaen,jaenner,jan,janeiro,januar,januara,januari,january,január,"
        "januára,janv,janvier,jän,jänner,led,leden,ledna,oca,ocak,sty,styczen,styczeń,stycznia,tammi,tammikuu,"
        "tammikuuta,січ,січень,січня,янв,январь,января"
    ),
    (
        "feb,febbraio,febr,febrero,februar,februara,februari,februarie,february,február,februára,fev,fevereiro,"
        "fevr,fevrier,févr,février,helmi,helmikuu,helmikuuta,lut,lutego,luty,sub,subat,uno,unor,unora,úno,únor,"
        "února,şub,şubat,лют,лютий,лютого,фев,февр,февраль,февраля"
    ),
    (
        "bre,brezen,brezna,bře,březen,března,maalis,maaliskuu,maaliskuuta,maart,mar,marc,marca,march,marcius,"
        "marco,marec,mars,mart,martie,marts,marz,marzec,marzo,março,mrt,mrz,márc,március,mär,märz,бер,березень,"
        "березня,мар,март,марта"
    ),
    (
        "abr,abril,apr,april,aprila,aprile,aprilie,aprilis,apríl,apríla,avr,avril,dub,duben,dubna,huhti,huhtikuu,"
        "huhtikuuta,kwi,kwiecien,kwiecień,kwietnia,nis,nisan,ápr,április,апр,апрель,апреля,квіт,квітень,квітня"
    ),
    (
        "kve,kveten,kvetna,kvě,květen,května,mag,maggio,mai,maio,maj,maja,majus,may,mayo,mayıs,mei,máj,mája,"
        "május,touko,toukokuu,toukokuuta,май,мая,трав,травень,травня"
    ),
    (
        "cerven,cervna,cvn,cze,czerwca,czerwiec,giu,giugno,haz,haziran,iun,iunie,juin,jun,juna,june,junho,juni,"
        "junio,junius,jún,júna,június,kesa,kesakuu,kesakuuta,kesä,kesäkuu,kesäkuuta,červen,června,čvn,июн,июнь,"
        "июня,черв,червень,червня"
    ),
    (
        "cervence,cervenec,cvc,heina,heinakuu,heinakuuta,heinä,heinäkuu,heinäkuuta,iul,iulie,jly,juil,juillet,"
        "jul,jula,julho,juli,julio,julius,july,júl,júla,július,lip,lipca,lipiec,lug,luglio,tem,temmuz,července,"
        "červenec,čvc,июл,июль,июля,лип,липень,липня"
    ),
    (
        "ago,agosto,agu,agustos,aout,août,aug,august,augusta,augusti,augustus,augusztus,ağu,ağustos,elo,elokuu,"
        "elokuuta,sie,sierpien,sierpień,sierpnia,srp,srpen,srpna,авг,август,августа,серп,серпень,серпня"
    ),
    (
        "eyl,eylul,eylül,sep,sept,september,septembra,septembre,septembrie,septiembre,set,setembro,settembre,"
        "syys,syyskuu,syyskuuta,szept,szeptember,wrz,wrzesien,wrzesień,wrzesnia,września,zar,zari,zář,září,вер,"
        "вересень,вересня,сен,сент,сентябрь,сентября"
    ),
    (
        "eki,ekim,loka,lokakuu,lokakuuta,oct,october,octobre,octombrie,octubre,okt,oktober,oktobra,október,"
        "októbra,ott,ottobre,out,outubro,paz,pazdziernik,pazdziernika,paź,październik,października,rij,rijen,"
        "rijna,říj,říjen,října,жовт,жовтень,жовтня,окт,октябрь,октября"
    ),
    (
        "kas,kasım,lis,listopad,listopada,listopadu,marras,marraskuu,marraskuuta,noiembrie,nov,november,novembra,"
        "novembre,novembro,noviembre,лист,листопад,листопада,ноя,нояб,ноябрь,ноября"
    ),
    (
        "ara,aralık,dec,december,decembra,decembre,decembrie,des,desember,dez,dezember,dezembro,dic,dicembre,"
        "diciembre,déc,décembre,gru,grudnia,grudzien,grudzień,joulu,joulukuu,joulukuuta,pro,prosince,prosinec,"
        "груд,грудень,грудня,дек,декабрь,декабря"
    ),
    first=1,
)
"""The number of a month by its name in lower case, without a dot at its end."""

WEEKDAYS = _numbered(
    (
        "hetfo,hétfő,lun,lundi,lunedi,lunedì,lunes,luni,ma,maanantai,maanantaina,maandag,man,mandag,mo,mon,"
        "monday,montag,mån,måndag,pazartesi,po,pon,pondeli,pondelok,pondělí,poniedziałek,pzt,seg,segunda-feira,"
        "пн,понедельник,понеділок"
    ),
    (
        "di,dienstag,dinsdag,kedd,mar,mardi,martedi,martedì,martes,marti,marți,sal,salı,ter,terca-feira,"
        "terça-feira,ti,tiistai,tiistaina,tir,tirs,tirsdag,tis,tisdag,tue,tues,tuesday,ut,utery,utorok,wt,wtorek,"
        "út,úterý,вт,вторник,вівторок"
    ),
    (
        "car,carsamba,ke,keskiviikko,keskiviikkona,mer,mercoledi,mercoledì,mercredi,mi,mie,miercoles,miercuri,"
        "mittwoch,mié,miércoles,ons,onsdag,qua,quarta-feira,sr,sroda,streda,středa,sze,szerda,wed,wednes,"
        "wednesday,wo,woensdag,çar,çarşamba,śr,środa,середа,ср,среда"
    ),
    (
        "cs,csutortok,csütörtök,ct,ctvrtek,czw,czwartek,do,donderdag,donnerstag,gio,giovedi,giovedì,jeu,jeudi,"
        "joi,jue,jueves,per,persembe,perşembe,qui,quinta-feira,stvrtok,thu,thur,thurs,thursday,to,tor,tors,"
        "torsdag,torstai,torstaina,čt,čtvrtek,št,štvrtok,четвер,четверг,чт"
    ),
    (
        "cum,cuma,fr,fre,fredag,freitag,fri,friday,pa,patek,pe,pentek,perjantai,perjantaina,pi,piatek,piatok,"
        "piątek,pt,pá,pátek,péntek,sex,sexta-feira,ven,vendredi,venerdi,venerdì,vie,viernes,vin,vineri,vr,"
        "vrijdag,пʼятниця,пт,пятница"
    ),
    (
        "cmt,cumartesi,la,lauantai,lauantaina,lor,lordag,lör,lördag,lør,lørdag,sa,sab,sabado,sabato,sam,sambata,"
        "samedi,samstag,sat,saturday,sob,sobota,szo,szombat,sáb,sábado,sâm,sâmbătă,za,zaterdag,сб,суббота,субота"
    ),
    (
        "dim,dimanche,dom,domenica,domingo,dum,duminica,duminică,ne,nedela,nedele,nedeľa,neděle,niedz,niedziela,"
        "paz,pazar,son,sondag,sonntag,su,sun,sunday,sunnuntai,sunnuntaina,sön,söndag,søn,søndag,vasarnap,"
        "vasárnap,zo,zondag,воскресенье,вс,нд,неділя"
    ),
    first=0,
)
"""The number of a weekday (Monday is 0) by its name."""
