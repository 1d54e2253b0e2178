import com.pixelmed.validate.DicomSRValidator;

/** Puts each document named on the command line to PixelMed's validator, all in one machine. */
class ValidateDocuments {
    public static void main(String[] paths) throws Exception {
        DicomSRValidator validator = new DicomSRValidator();
        for (String path : paths) {
            System.out.println("DOCUMENT " + path);
            System.out.println(validator.validate(path, false, true, false, false, true));
        }
    }
}
