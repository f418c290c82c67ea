"""Detection of texts in other languages. All blurbs here were written for this test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.text.function_words import (
    ENGLISH_LOOKALIKES,
    ENGLISH_WORDS,
    FUNCTION_WORDS,
    LETTERS,
    PARTICLES,
)
from catalogue.text.language import foreign_language
from catalogue.text.language_names import LANGUAGE_NAMES
from catalogue.text.scripts import language_of_script, script_of

ENGLISH = (
    "The lighthouse keeper's daughter finds a ledger in which somebody has written down, years "
    "ahead, the date of every shipwreck on the coast. The last entry bears her own name."
)
BLURBS = {
    "de": "Die Tochter des Leuchtturmwärters findet ein Buch, in dem jemand das Datum jedes "
    "Schiffbruchs an der Küste aufgeschrieben hat. Der letzte Eintrag trägt ihren eigenen Namen.",
    "fr": "La fille du gardien de phare découvre un registre dans lequel quelqu'un a noté la date "
    "de chaque naufrage. La dernière ligne porte son propre nom, et le premier navire sombre déjà.",
    "es": "La hija del farero encuentra un cuaderno en el que alguien ha escrito la fecha de cada "
    "naufragio de la costa. La última línea lleva su propio nombre.",
    "pt": "A filha do faroleiro encontra um caderno em que alguém escreveu a data de cada naufrágio "
    "da costa. A última linha tem o seu próprio nome, e ninguém acredita nela.",
    "it": "La figlia del guardiano del faro trova un quaderno in cui qualcuno ha scritto la data di "
    "ogni naufragio. L'ultima riga porta il suo nome, ma nessuno le crede.",
    "nl": "De dochter van de vuurtorenwachter vindt een schrift waarin iemand de datum van elke "
    "schipbreuk heeft opgeschreven. De laatste regel draagt haar eigen naam.",
    "pl": "Córka latarnika znajduje zeszyt, w którym ktoś zapisał datę każdej katastrofy na "
    "wybrzeżu. Ostatni wpis nosi jej imię, a nikt nie chce jej uwierzyć.",
    "cs": "Dcera strážce majáku najde sešit, do kterého někdo zapsal datum každého ztroskotání na "
    "pobřeží. Poslední řádek nese její jméno a nikdo jí nevěří.",
    "sk": "Dcéra strážcu majáka nájde zošit, do ktorého niekto zapísal dátum každého stroskotania "
    "pri pobreží. Posledný riadok nesie jej meno a nikto jej neverí.",
    "sv": "Fyrvaktarens dotter hittar en bok där någon har skrivit upp dagen för varje skeppsbrott "
    "vid kusten. Den sista raden bär hennes eget namn, och ingen tror henne.",
    "da": "Fyrpasserens datter finder en bog, hvor nogen har skrevet datoen for hvert skibbrud ved "
    "kysten. Den sidste linje bærer hendes eget navn, og ingen tror hende.",
    "no": "Fyrvokterens datter finner en bok der noen har skrevet ned datoen for hvert forlis ved "
    "kysten. Den siste linjen bærer hennes eget navn, og ingen tror henne nå.",
    "fi": "Majakanvartijan tytär löytää vihkon, johon joku on kirjoittanut jokaisen haaksirikon "
    "päivän. Viimeisellä rivillä on hänen oma nimensä, eikä kukaan usko häntä.",
    "hu": "A világítótorony őrének lánya talál egy füzetet, amelybe valaki minden hajótörés napját "
    "leírta. Az utolsó sorban a saját neve áll, és senki sem hisz neki.",
    "ro": "Fiica paznicului de far găsește un caiet în care cineva a scris data fiecărui naufragiu "
    "de pe coastă. Ultimul rând poartă numele ei, dar nimeni nu o crede.",
    "tr": "Fener bekçisinin kızı, kıyıdaki her deniz kazasının tarihinin yazıldığı bir defter "
    "bulur. Son satırda kendi adı vardır ve ona kimse inanmaz, ama çok geç değildir.",
    "id": "Putri penjaga mercusuar menemukan sebuah buku yang berisi tanggal setiap kapal karam di "
    "pantai itu. Baris terakhir memuat namanya sendiri, tetapi tidak ada yang percaya.",
    "hr": "Kći čuvara svjetionika pronalazi bilježnicu u koju je netko upisao datum svakog "
    "brodoloma na obali. Posljednji redak nosi njezino ime, ali joj nitko ne vjeruje.",
    "sl": "Hči svetilničarja najde zvezek, v katerega je nekdo zapisal datum vsakega brodoloma na "
    "obali. Zadnja vrstica nosi njeno ime, vendar ji nihče ne verjame.",
    "lt": "Švyturio sargo dukra randa sąsiuvinį, kuriame kažkas surašė kiekvieno laivo žūties "
    "dieną. Paskutinėje eilutėje yra jos vardas, bet niekas ja netiki.",
    "lv": "Bākas sarga meita atrod burtnīcu, kurā kāds ir pierakstījis katra kuģa bojāejas dienu. "
    "Pēdējā rindā ir viņas vārds, bet neviens viņai netic.",
    "et": "Majakavahi tütar leiab vihiku, kuhu keegi on kirja pannud iga laevahuku päeva. Viimases "
    "reas on tema enda nimi, aga keegi ei usu teda.",
    "ca": "La filla del faroner troba un quadern en què algú ha escrit la data de cada naufragi de "
    "la costa. L'última línia porta el seu nom, però ningú no se la creu.",
    "vi": "Con gái người gác hải đăng tìm thấy một cuốn sổ ghi ngày của mọi vụ đắm tàu trên bờ "
    "biển. Dòng cuối cùng mang tên của cô nhưng không ai tin.",
    "ru": "Дочь смотрителя маяка находит тетрадь, в которой кто-то записал дату каждого "
    "кораблекрушения. В последней строке стоит её собственное имя.",
    "uk": "Донька доглядача маяка знаходить зошит, у якому хтось записав дату кожної аварії на "
    "узбережжі. В останньому рядку її власне ім'я, і їй ніхто не вірить.",
    "bg": "Дъщерята на пазача на фара намира тетрадка, в която някой е записал датата на всяко "
    "корабокрушение. Последният ред носи нейното име.",
    "sr": "Кћи чувара светионика проналази свеску у коју је неко уписао датум сваког бродолома. "
    "Последњи ред носи њено име, али јој нико не верује.",
    "el": "Η κόρη του φαροφύλακα βρίσκει ένα τετράδιο όπου κάποιος έχει γράψει την ημερομηνία "
    "κάθε ναυαγίου. Η τελευταία γραμμή έχει το δικό της όνομα.",
    "ar": "تجد ابنة حارس المنارة دفترا كتب فيه أحدهم تاريخ كل سفينة غرقت عند الساحل. السطر "
    "الأخير يحمل اسمها ولا أحد يصدقها.",
    "fa": "دختر نگهبان فانوس دریایی دفتری پیدا می‌کند که کسی تاریخ غرق شدن هر کشتی را در آن نوشته "
    "است. سطر آخر نام خود اوست و هیچ‌کس حرفش را باور نمی‌کند.",
    "he": "בתו של שומר המגדלור מוצאת מחברת שבה כתב מישהו את התאריך של כל ספינה שטבעה. בשורה "
    "האחרונה כתוב שמה שלה.",
    "hi": "प्रकाशस्तंभ के रखवाले की बेटी को एक कॉपी मिलती है जिसमें किसी ने हर डूबे जहाज़ की तारीख लिखी है। "
    "आख़िरी पंक्ति में उसका अपना नाम है।",
    "zh": "灯塔看守人的女儿发现了一本账簿，里面有人预先写下了海岸上每一次沉船的日期。最后一行是她自己的名字。",
    "ja": "灯台守の娘は一冊の帳面を見つける。そこには、この海岸で起きるすべての難破の日付が書かれていた。"
    "最後の行には彼女自身の名前がある。",
    "ko": "등대지기의 딸은 해안에서 일어날 모든 난파의 날짜가 적힌 장부를 발견한다. 마지막 줄에는 그녀의 "
    "이름이 적혀 있다.",
    "th": "ลูกสาวของคนเฝ้าประภาคารพบสมุดที่มีคนเขียนวันที่เรือทุกลำจะอับปางไว้ล่วงหน้า บรรทัดสุดท้ายเป็นชื่อของเธอเอง",
    "ka": "შუქურის მცველის ქალიშვილი პოულობს რვეულს, სადაც ვიღაცამ ყველა გემის დაღუპვის დღე ჩაწერა.",
}
ENGLISH_TEXTS = {
    "blurb": ENGLISH,
    "capitals": ENGLISH.upper(),
    "short": "A shepherd, a wolf and a long winter.",
    "no function words": "Lighthouses, shipwrecks, murder, ledgers, fog.",
    "names": "Juan de la Cruz, Ana María Peña, José Núñez, Álvaro Íñiguez",
    "places": "Los Angeles, San Diego, La Jolla, El Paso, Las Cruces, Santa Fe.",
    "one word": "Roman.",
    "two words": "Ein Roman",
    "three words": "Una historia verdadera",
    "foreign title of three words": "Die blaue Stunde",
    "quotations": "“Nel mezzo del cammin di nostra vita”: with this line begins a journey that has "
    "held its readers for centuries. “Lasciate ogne speranza” stands over the gate, and the poet "
    "walks through it with his guide. This edition has the text and a commentary for students.",
    "foreign names": "Żółć, Łódź and Świnoujście are the stations of a journey that Małgorzata "
    "makes with her father, and in each of them she learns what he did there in the war.",
    "foreign title, English text": "Der Schimmelreiter und der Deich. The story of a dike master "
    "who builds against the sea, and of the people who do not forgive him for it.",
    "mostly English": f"{ENGLISH} Die Tochter findet ein Buch mit ihrem Namen.",
    "numbers": "1984 2001 42 7,5 %",
    "symbols": "★★★ — π ≈ 3.14 …",
    "pronunciation": "The Qur'an (/kʊrˈʔɑːn/; القرآن) is the book of a religion, and this "
    "introduction is for readers who know nothing of it.",
    "HTML": f"<div style='text-align: justify'><p>{ENGLISH}</p></div>",
    "empty": "",
    "contents": "1. Thunder; 2. Silver; 3. Bone; 4. Ash; 5. Water; 6. Salt; 7. Iron",
}
NOT_ENGLISH_TEXTS = {
    "English title": ("The Ledger of Storms. " + BLURBS["de"], "de"),
    "mostly German": (f"{BLURBS['de']} {BLURBS['de']} {ENGLISH}", "de"),
    "mostly Chinese": (f"{BLURBS['zh']} A bestseller in twelve languages.", "zh"),
    "mostly Russian": (f"{BLURBS['ru']} The Keeper's Daughter, first edition.", "ru"),
    "capitals": (BLURBS["fr"].upper(), "fr"),
    "capitals in Turkish": ("İSTANBUL İÇİN YAZILAN BİR ROMAN VE DAHA NE KADAR ÇOK ŞEY", "tr"),
    "decomposed": ("Der Maler ko\u0308nnte fu\u0308r sie ma\u0308chtige Bilder malen", "de"),
    "entities": ("Der M&uuml;ller w&auml;re f&amp;uuml;r die K&ouml;nigin gestorben", "de"),
    "HTML": (f"<p class='the of and to'>{BLURBS['nl']}</p>", "nl"),
    "two ideographs": ("小説", "zh"),
    "two Russian words": ("Роман года", "ru"),
}


@pytest.mark.parametrize("language", BLURBS)
def test_a_blurb_in_another_language_is_named(language: str) -> None:
    assert foreign_language(BLURBS[language]) == language


@pytest.mark.parametrize("text", ENGLISH_TEXTS.values(), ids=ENGLISH_TEXTS)
def test_an_english_or_undecided_text_is_not_foreign(text: str) -> None:
    assert foreign_language(text) is None


@pytest.mark.parametrize(
    ("text", "language"), NOT_ENGLISH_TEXTS.values(), ids=NOT_ENGLISH_TEXTS.keys()
)
def test_the_larger_part_of_a_text_determines_its_language(text: str, language: str) -> None:
    assert foreign_language(text) == language


@given(st.text())
def test_any_text_has_a_result(text: str) -> None:
    assert foreign_language(text) in {None, *LANGUAGE_NAMES}


@given(
    st.lists(
        st.one_of(
            st.sampled_from([word for words in FUNCTION_WORDS.values() for word in words.split()]),
            st.sampled_from(ENGLISH_WORDS.split()),
            st.characters(),
        )
    )
)
def test_any_mixture_of_words_has_a_result(words: list[str]) -> None:
    assert foreign_language(" ".join(words)) in {None, *LANGUAGE_NAMES}


@given(st.lists(st.sampled_from([*ENGLISH_WORDS.split(), "dragon", "María"])))
def test_english_words_are_never_foreign(words: list[str]) -> None:
    assert foreign_language(" ".join(words)) is None


@pytest.mark.parametrize("first", range(0, 0x110000, 0x1000))
def test_every_letter_belongs_to_a_script_with_a_language_or_to_none(first: int) -> None:
    for point in range(first, first + 0x1000):
        script = script_of(chr(point))
        if script is not None and script != "Latin":
            assert language_of_script({script: 1}, [chr(point)]) in LANGUAGE_NAMES


def test_every_language_has_a_name_and_its_letters_are_not_english() -> None:
    assert set(FUNCTION_WORDS) <= set(LANGUAGE_NAMES)
    assert set(LETTERS) <= set(FUNCTION_WORDS)
    assert not any(letter.isascii() for letters in LETTERS.values() for letter in letters)


def test_words_without_full_weight_are_words_of_a_language() -> None:
    words = {word for listed in FUNCTION_WORDS.values() for word in listed.split()}
    assert set(ENGLISH_LOOKALIKES.split()) <= words
    assert set(PARTICLES.split()) <= words
    assert not set(PARTICLES.split()) & set(ENGLISH_LOOKALIKES.split())
