"""Words and letters that tell the languages with Latin script apart.

Function words, the most frequent words of a language, make up a third to a half of its running text
and hardly depend on the subject. The lists hold no words for books, so that the subject of a
catalogue does not matter. Bosnian, Montenegrin and Serbian in Latin letters are listed as Croatian,
Malay as Indonesian.
"""

FUNCTION_WORDS: dict[str, str] = {
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder aber denn sondern ist sind
        war waren wird werden wurde wurden hat haben hatte kann können konnte muss müssen soll
        sollte will wollen ich du er sie es wir ihr ihm ihn ihnen mich mir dich dir sich uns euch
        mein meine dein sein seine seinen seinem seiner ihre ihren ihrem ihrer unser nicht kein
        keine keinen nur noch schon auch so sehr mehr immer wieder nie hier dort da dann nun jetzt
        als wie wenn dass daß weil ob bis durch für gegen ohne um an auf aus bei in im mit nach seit
        von vom vor zu zum zur über unter zwischen hinter neben am ans beim was wer wo warum welche
        dieser diese dieses diesem diesen jeder jede alle alles etwas nichts man doch ja zwei ersten
        eigenen während bereits sowie wobei damit dabei darin
    """,
    "fr": """
        le la les l un une des du de d et ou mais donc car ni que qui quoi dont où ce cet cette ces
        il elle ils elles on nous vous je tu me te se lui leur leurs son sa ses mon ma mes ton notre
        votre est sont était étaient être été a ont avait avoir fait faire peut ne pas plus jamais
        rien tout toute tous toutes très bien aussi encore déjà toujours ici là alors quand comme si
        dans en sur sous avec sans pour par vers chez entre contre depuis avant après pendant jusqu
        au aux à y deux autre autres même cela celle celui ceux qu c j n s m
    """,
    "es": """
        el la los las lo un una unos unas de del al a y e o u pero sino ni que quien quienes cual
        cuyo donde cuando como si es son era eran fue fueron ser está están estaba ha han había
        haber hay tiene puede hace no sí nunca nada todo toda todos todas muy más menos también ya
        aún siempre aquí allí entonces en con sin por para sobre entre hasta desde hacia contra
        durante tras ante bajo según su sus mi tu nuestro se le les me te nos yo él ella ellos este
        esta estos estas ese esa eso otro otra dos años vida mismo cada porque
    """,
    "it": """
        il lo la i gli le l un uno una di del dello della dei degli delle d a al allo alla ai alle
        da dal dalla dai in nel nello nella nei nelle su sul sulla con per tra fra e ed o ma né che
        chi cui dove quando come se è sono era erano fu essere stato stata ha hanno aveva avere può
        non mai niente nulla tutto tutta tutti tutte molto più meno anche già ancora sempre qui così
        senza contro fino dopo prima durante verso suo sua suoi sue mio mia nostro si ci lui lei
        loro io questo questa questi queste quello quella altro altra due anni vita stesso ogni
        perché c s quell dell all nell dall sull
        ad quale quali quanto quindi poi mentre ciò nessuno qualcosa sarà sia deve stessa storia uomo donna primo agli dagli negli sugli ne vi noi voi essi oppure pur tale
    """,
    "pt": """
        o a os as um uma uns umas de do da dos das ao à aos às e ou mas nem que quem onde quando
        como se é são era eram foi foram ser está estão estava tem têm tinha ter há pode não nunca
        nada tudo todo toda todos todas muito mais menos também já ainda sempre aqui ali então em
        com sem por para sobre entre até desde contra durante após depois antes seu sua seus suas
        meu minha nosso lhe me eu ele ela eles este esta estes estas esse essa isso isto outro outra
        dois duas anos vida mesmo cada porque num numa no na nos nas pelo pela dum sob
    """,
    "nl": """
        de het een en of maar want dat die dit deze is zijn was waren wordt worden werd werden heeft
        hebben had hadden kan kunnen kon moet moeten zal zullen zou wil ik jij je hij zij ze wij we
        hun hen hem haar mijn jouw zich niet geen nog al ook wel zeer meer altijd nooit weer hier
        daar er dan nu toen als hoe wie wat waar waarom welke om te in op aan uit bij met na van
        voor over onder tegen tussen door tot naar zonder sinds alles iets niets alle twee eerste
        eigen wanneer terwijl zoals waarin waarop leven jaar
        uw jullie ons onze mij jou iemand niemand ieder iedere elke eigenlijk omdat zodat tijdens volgens achter naast echter hierin steeds samen
    """,
    "pl": """
        i a w z na do o od po przez dla bez nad pod przed przy między za u ze we oraz lub albo ale
        lecz że żeby aby gdy kiedy gdzie jak co kto czy który która które którzy której którego
        których jest są był była było były będzie być może można ma mają nie nigdy nic tylko już
        jeszcze bardzo także też tak tu tam się sobie siebie jego jej ich go mu im ją on ona oni to
        ten ta te tego tej tym tych tę swój swoje swojej swoją swoich wszystko wszystkie dwa lat
        życia jednak więc ponieważ
        jaki jakie kogo czym ponad wokół podczas według wśród mnie cię nas was nam wam ktoś coś gdyby niż chce musi będą zostać został została nawet zawsze coraz każdy każda każde pierwszy nowy cały całe świat jednym jednej
    """,
    "sv": """
        och att det som en ett den de är var på av för med till om inte han hon jag vi ni sig sin
        sina sitt hans hennes deras men eller så när där här hur vad vem från efter under över
        mellan utan mot genom hos vid har hade kan kunde ska skulle vill måste blir blev bli varit
        också bara mycket mer alla allt inget någon något nu då än sedan denna detta dessa två
        första egen egna ut upp in ner kring redan dem honom henne oss mig dig
    """,
    "da": """
        og at det der som en et den de er var på af for med til om ikke han hun jeg vi sig sin sine
        sit hans hendes deres men eller så når hvor her hvordan hvad hvem fra efter under over
        mellem uden mod gennem hos ved har havde kan kunne skal skulle vil må bliver blev blive
        været også kun meget mere alle alt intet nogen noget nu da end siden denne dette disse to
        første egen egne ud op ind ned mens dem ham hende os mig dig sammen findes giver bruges
        hvis hvilken hvilke igen altid aldrig ingen nogle begge inden omkring bag blandt samt fordi selv således både
    """,
    "cs": """
        a i v ve na z ze do k ke o od po pro bez nad pod před při mezi za u s se si nebo ale že aby
        když kdy kde jak co kdo který která které kteří jehož je jsou byl byla bylo byli bude být
        může má mají ne není nikdy nic jen již už ještě velmi také tak tu tam jeho její jejich ho mu
        jim ji on ona oni to ten ta ty toho té tom tento tato své svou svého svých vše všechno dva
        let života však protože než jako
        jíž jimiž něco někdo sám sama těchto této jeden jedna první nový člověk světa kolem podle během proti proč jsem jsme
    """,
    "fi": """
        ja tai mutta on ei oli ovat olivat että se hän ne he minä sinä me te joka jotka jonka jossa
        jota mikä mitä mistä kuka kun kuin jos vaikka koska niin myös vain jo vielä nyt sitten aina
        koskaan tämä tämän tätä tässä nämä tuo sen sitä siitä siinä sille hänen häntä hänet hänestä
        heidän niiden kanssa ennen jälkeen aikana mukaan vastaan ilman kaikki kaikkien kaiken mitään
        ole olla ollut voi voivat sekä itse yksi kaksi uusi oma omaa ihmisten koko yli läpi eikä
        kertoo paljon hyvin
        eli onko saa saada tulee tehdä pitää joiden joihin jolla joista johon heille heitä minun sinun meidän teidän tuon tuota noin hyvä kuten kuitenkin lisäksi välillä kautta varten osa eri uuden ihmisen elämän elämä mies nainen jälleen vuoden vuotta jotta mukana
    """,
    "hu": """
        a az egy és vagy de hogy nem is meg már csak még van volt lesz lehet kell ha mint aki akik
        ami amely amelyek ahol amikor mert majd után előtt között alatt szerint nélkül ellen felé
        minden mindig soha ez ezt ennek azt annak ezek azok ő ők én mi nekem neki magát saját két
        első új olyan ilyen úgy így itt ott hol hogyan miért ki mit be fel le el vissza át sem se
        pedig akkor most nagyon több
        által egyik másik során való valamint illetve ahogy amit akit akinek azonban ugyanis magyar jó ember élet év
    """,
    "tr": """
        ve veya ya da de ama fakat ancak ki bir bu şu o biz siz ben sen onun onu ona onlar kendi
        kendisi için ile gibi kadar göre sonra önce beri karşı üzerine arasında içinde ne kim nasıl
        neden nerede hangi çok daha en hiç her şey tüm bütün bile sadece artık yine var yok değil mi
        olan olarak olduğu oldu olur olmak ise iki ilk diye hem
        mu mı mü dan den nın olduğunu olacak etmek etti eden eder yeni büyük insan hayat arada birlikte yıl
    """,
    "id": """
        yang dan atau tetapi tapi namun di ke dari pada dalam untuk dengan oleh tentang antara
        sampai hingga sejak tanpa seperti sebagai ini itu tersebut adalah ada akan sudah telah
        sedang belum tidak bukan tak bisa dapat harus juga hanya saja lagi lebih sangat semua setiap
        para seorang sebuah ia dia mereka kami kita aku saya kamu anda nya siapa apa bagaimana
        ketika saat karena jika agar bahwa dua orang
        maupun serta adapun yaitu menjadi kepada mana hidup sekitar selama kembali pun lalu maka
    """,
    "ro": """
        și si în din de la cu pe pentru un o unui unei ale al a ai este sunt era erau fost fi are au
        avea poate nu niciodată nimic tot toate toți foarte mai mult puțin dar sau ori ci că care
        cine unde când cum dacă ce prin fără sub peste între până după înainte contra spre său sa
        săi sale lui ei lor îl îi le i se își mă te ne eu el ea acest această acestea acel aceea alt
        altă doi două ani viață însă deși decât
    """,
    "no": """
        og at det som en et ei den de er var på av for med til om ikke han hun jeg vi seg sin sine
        sitt hans hennes deres men eller så når hvor her hvordan hva hvem fra etter under over
        mellom uten mot gjennom hos ved har hadde kan kunne skal skulle vil må blir ble bli vært
        også bare mye mer alle alt ingen noen noe nå da enn siden denne dette disse to første egen
        egne ut opp inn ned mens dem ham henne oss meg deg sammen
    """,
    "sk": """
        a i v vo na z zo do k ku o od po pre bez nad pod pred pri medzi za u s so sa si alebo ale že
        aby keď kedy kde ako čo kto ktorý ktorá ktoré ktorí ktorého je sú bol bola bolo boli bude
        byť môže má majú nie nikdy nič len už ešte veľmi tiež aj tak tu tam jeho jej ich ho mu im ju
        on ona oni to ten tá tie toho tej tom tento táto svoj svoje svojho všetko dva rokov života
        však pretože než
        ktorým ktorých niečo niekto sám sama týchto tejto jeden jedna prvý nový človek sveta okolo podľa počas proti prečo som sme vám nás
    """,
    "hr": """
        i u na s sa iz do o od po za bez među između pred nad pod ili ali te da kad kada gdje kako
        što tko koji koja koje kojih kojem je su bio bila bilo bili biti će može ima ne nije nikad
        ništa samo već još vrlo također tako ovdje tamo njegov njegova njezin njena njihov ga mu im
        ju on ona oni to taj ta tog toj tom ovaj ova svoj svoju svoje sve dva godina život međutim
        jer nego kao se si
        netko nitko svaki svaka svakog svakoga prema protiv oko kroz nešto ja mi ti vas nas
    """,
    "sl": """
        in v na z s iz do o od po za pri brez med pred nad pod pa ali ter da ko kjer kako kaj kdo ki
        je so bil bila bilo bili biti bo lahko ima ne ni nikoli nič le samo že še zelo tudi tako tu
        tam njegov njegova njegovo njena njen njihov ga mu jim jo on ona oni to ta te tega tej tem
        svoj svojo svoje vse dve let življenje vendar ker kot se si
        kateri katera katero katerega nihče nekdo nekaj vsak vsaka vsakega proti skozi okoli jaz mi ti vas nas
    """,
    "vi": """
        và của là có không một những các cho với được trong người này đó khi đã sẽ đang từ về đến
        như nhưng để ra vào lại hay cũng thì mà ở bị trên dưới theo rất nào đi cùng tôi anh cô họ
        ông bà chỉ nhiều hơn
    """,
    "ca": """
        el la els les lo un una uns unes de del dels d l al als a i o però sinó ni que qui on quan
        com si és són era eren va van fou ser està ha han havia hi té pot no mai res tot tota tots
        totes molt més menys també ja encara sempre aquí així en amb sense per sobre entre fins des
        cap contra durant després abans seu seva seus seves meu es se li ho em et ens jo ell ella
        aquest aquesta aquests aquestes altre altra dos dues anys mateix cada perquè
    """,
    "gl": """
        o a os as un unha uns unhas de do da dos das ao á aos ás e ou pero nin que quen onde cando
        como se é son era eran foi foron ser está estaba ten teñen pode non nunca nada todo toda
        todos moi máis menos tamén xa aínda sempre aquí así en con sen por para sobre entre ata
        desde cara contra despois antes seu súa seus súas lle lles me eu el ela este esta estes
        estas outro outra dous dúas anos nun nunha no na nos nas polo pola dun dunha porque
    """,
    "lt": """
        ir ar bet o kad kaip kai kur kas kuris kuri kurie kurio kurią yra buvo būti bus gali turi ne
        nėra niekada tik jau dar labai taip pat į iš su be ant po per apie nuo iki prie tarp prieš
        už jo jos jų savo jis ji jie jį šis ši tai tas visi viską visa du metų gyvenimą nes
    """,
    "lv": """
        un vai bet ka kā kad kur kas kurš kura kuri kuru ir bija būt būs var nav nekad tikai jau vēl
        ļoti arī tā no ar bez uz pēc par līdz pie starp pirms viņa viņas viņu savu savas viņš šis šī
        tas tās visi visu divi gadu dzīvi jo lai to kuras
    """,
    "et": """
        ja või aga on ei oli olid et see ta tema nad nende kes mis mida mille kui siis nii ka veel
        juba ainult kus kuidas miks koos enne pärast kuni ilma üle läbi vastu kõik kõige oma selle
        seda selles sellest need neid olla saab pole ning üks kaks tuleb võib ma sa me end enda väga
        alati kunagi
    """,
    "is": """
        og að er í á sem það þetta þessi ekki en um til hann hún við var voru með af fyrir eru þau
        þeir þær sér sinn sína sín eftir frá hefur hafa hafði verið þegar þar hér upp út yfir undir
        eða því svo ég þú hans hennar þeirra verður ekkert allt alla mjög meira
    """,
    "af": """
        die n van en het nie is in te wat hy sy om met vir op dat as aan hulle ek ons was hom haar
        maar of nog ook kan sal moet word deur tot uit na by oor onder hierdie daar waar wie baie
        geen sonder tussen jou my
    """,
    "az": """
        və ya da amma ancaq ki bir bu o biz mən sən onun onu ona onlar öz üçün ilə kimi qədər görə
        sonra əvvəl haqqında arasında içində nə kim necə niyə çox daha ən heç hər bütün yalnız var
        yox deyil olan olaraq idi isə iki ilk
    """,
    "eu": """
        eta da ez edo baina bat du dira zen ziren izan dela dute dituen duen bere hau hori haren ere
        egin egiten gabe beste baino arte artean gero bezala buruz den diren bi
        honek hauek haiek nola non zer nor baten batean batek dago daude ditu zuten beharko bezain guzti guztiak baita edozein izateko egiteko bidez
    """,
    "sq": """
        dhe të në një e i me për nga që është nuk si por ka kjo ky do më ai ajo tij saj tyre kur ku
        deri pas para mes shumë vetëm edhe ishte janë ose se
    """,
    "sw": """
        na ya wa kwa ni katika la za cha vya hii huyo hiyo yake wake lake zake kama lakini au si
        kuwa alikuwa ambaye ambayo sana tu baada kabla wao yeye mimi hata pia kila
    """,
    "tl": """
        ang ng sa na at mga ay ni si kay kina para hindi ito iyon nito niya nila kanyang kaniyang
        kanilang siya sila ako ko ka mo natin kung may mayroon wala isang nang upang pero ngunit
        dahil lamang din rin bilang mula hanggang bago ano sino
        bagay tao buhay iba bawat kahit kapag habang saan paano
    """,
    "cy": """
        y yr ac yn ar am gan gyda wedi mae nid ond ei eu hi fe bod sydd oedd hyn hwn hon pan neu ni
        chi ym
    """,
    "ga": """
        an na agus ar le ag tá bhí ní nach ach sé sí siad seo sin chun gan mar nuair roimh idir faoi
        leis
    """,
    "la": """
        et in est non ad cum ut qui quae quod sed ab ex de per aut sunt esse hoc ac atque nec si
        eius quam enim autem pro sine inter
    """,
    "eo": """
        la kaj en de estas ne al ke por kun li ŝi ĝi ili sed kiel kiu kiuj kio sur aŭ oni tiu pri ĉu
        lia ŝia nur ankaŭ el post antaŭ dum sen inter tra unu
    """,
}
"""Lower case, by ISO 639-1 code.

Of languages that match a text equally well, the first one is chosen.
"""

LETTERS: dict[str, str] = {
    "de": "äöüß",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíñóúü",
    "it": "àèéìíîòóùú",
    "pt": "áâãàçéêíóôõúü",
    "nl": "ëéïèö",
    "pl": "ąćęłńóśźż",
    "sv": "åäöé",
    "da": "æøåé",
    "cs": "áčďéěíňóřšťúůýž",
    "fi": "äöå",
    "hu": "áéíóöőúüű",
    "tr": "çğıöşüâî",
    "id": "é",
    "ro": "ăâîșşțţ",
    "no": "æøåéòô",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "hr": "čćđšž",
    "sl": "čšž",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "ca": "àçèéíïòóúü",
    "gl": "áéíñóúü",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "et": "äöõüšž",
    "is": "áéíóúýþæöð",
    "af": "ëêïôû",
    "az": "əçğıöşü",
    "eu": "ñ",
    "sq": "ëç",
    "tl": "ñ",
    "cy": "âêîôûŵŷ",
    "ga": "áéíóú",
    "eo": "ĉĝĥĵŝŭ",
}
"""The letters beyond a to z by ISO 639-1 code."""

ENGLISH_WORDS: str = """
    a an the and or but nor so yet if then than as at by for from in into of off on onto out over to
    up with without about above after against among around before behind below between beyond during
    except inside near since through throughout toward towards under until upon within along across
    i me my mine myself we us our ours you your yours he him his himself she her hers herself it its
    itself they them their theirs themselves this that these those who whom whose which what when
    where why how all any both each every few more most other others another some such no not only
    own same too very just even still also never always ever again now here there once is am are was
    were be been being has have had having do does did doing done will would shall should can could
    may might must cannot because while though although whether one two first new book novel story
    life world s t don isn doesn didn won couldn
"""
"""English function words, and the words that descriptions of books repeat most."""

ENGLISH_LOOKALIKES: str = """
    war man come end go men see want need son ve die met ten let sense care word post door car era
    due wake tom non plus com co mere ben lake jim dan han sit bare sin dig kim sub bus tie mia bet
    sale ed inn theo pat meg ellen hat per nun jo pan pole hans kay till cara zen sue pot cap pod
    pie ella ada sal lia mit ned ty ton bat quell giver pour mar ali mae wil gabe ham bolo jen polo
    ant avant hay dell nell ell seine mimi ami alt fe kell rin pro ad pre ex inter sine cum vain
    hier ale hen pas sans tout tam
"""
"""Function words of other languages that are spelled like English words or first names: no evidence."""

PARTICLES: str = """
    c d e j k l m n o u v w y z á à é è de la los el las le les lo du des di da del della dei dos
    das van von der den ter te en un una al ya na sa ne se si ta tu ma mi mo ka ki ku ha ho ra
    ia em et il op om ni li vi bo bio dar sen ko ja ai au er ce con est nu ay po ky ga su
    """
"""Short function words that are also parts of names: half the evidence."""
